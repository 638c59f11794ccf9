#!/usr/bin/python3
"""Exports a checkpoint of train_wake.py as models/wake.safetensors, with test vectors beside it.

Checks that the exported graph gives PyTorch's logits on val recordings.
"""
import argparse
import pathlib

from kwstrain.commandnet import CommandNet
from kwstrain.shipping import ship
from kwstrain.wakesampler import LABELS
from kwstrain.wakevalidation import wake_validation

HERE = pathlib.Path(__file__).parent
CARD = """Six wake words (alexa, computer, jarvis, smart mirror, snowboy, view glass), _unknown_ and _silence_. Binary weights
and activations, five exits, no padding in time. Trained on Picovoice wake-word-benchmark recordings (Apache-2.0), Google
Speech Commands (P. Warden, CC BY 4.0), Arabic Speech Commands (A. Ghandoura, CC BY 4.0), LibriSpeech train-clean-5
(CC BY 4.0), ESC-10 (CC BY 3.0) and espeak-ng synthetic speech (5 % of the words, 14 % of the negatives). Figures:
docs/wake-words.md."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--checkpoint", type=pathlib.Path, default=HERE / "runs" / "wake" / "checkpoint.pt")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "models" / "wake.safetensors")
    args = parser.parse_args()
    features = wake_validation(args.data, HERE / "cache").features
    ship(CommandNet(len(LABELS)), args.checkpoint, LABELS, CARD, args.out, features[::100])


if __name__ == "__main__":
    main()
