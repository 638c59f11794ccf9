#!/usr/bin/python3
"""Exports a checkpoint of train_commands.py as models/commands.safetensors, with test vectors beside it.

Checks that the exported graph gives PyTorch's logits on val clips.
"""
import argparse
import pathlib

from kwstrain.commandnet import CommandNet
from kwstrain.data import LABELS
from kwstrain.shipping import ship
from kwstrain.validation import command_validation

HERE = pathlib.Path(__file__).parent
CARD = """Eight command words (yes no up down left right go stop), _unknown_ and _silence_. Binary weights and
activations, five exits, no padding in time. Trained on Google Speech Commands (P. Warden, CC BY 4.0), Arabic Speech
Commands (A. Ghandoura, CC BY 4.0), Picovoice wake-word-benchmark recordings (Apache-2.0), LibriSpeech train-clean-5
(CC BY 4.0), ESC-10 (CC BY 3.0) and about 5 % espeak-ng synthetic speech. Figures: models/README.md."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--checkpoint", type=pathlib.Path, default=HERE / "runs" / "commands" / "checkpoint.pt")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "models" / "commands.safetensors")
    args = parser.parse_args()
    features = command_validation(args.data, HERE / "cache").features
    ship(CommandNet(len(LABELS)), args.checkpoint, LABELS, CARD, args.out, features[::80])


if __name__ == "__main__":
    main()
