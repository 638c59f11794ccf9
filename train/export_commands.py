#!/usr/bin/python3
"""Exports a checkpoint of train_commands.py as models/commands.safetensors, with test vectors beside it.

Checks that the exported graph gives PyTorch's logits on val clips.
"""
from kwstrain.data import LABELS
from kwstrain.shipping import main
from kwstrain.validation import command_validation

CARD = """Eight command words (yes no up down left right go stop), _unknown_ and _silence_. Binary weights and
activations, five exits, no padding in time. Trained on Google Speech Commands (P. Warden, CC BY 4.0), Arabic Speech
Commands (A. Ghandoura, CC BY 4.0), LibriSpeech train-clean-5 (CC BY 4.0), ESC-10 (CC BY 3.0), Speech Commands background
noise (CC BY 4.0), and 10 % synthetic speech of espeak-ng and flite. Figures: models/README.md."""

if __name__ == "__main__":
    main(__doc__, "commands", LABELS, CARD, command_validation, 80)
