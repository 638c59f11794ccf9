#!/usr/bin/python3
"""Exports a checkpoint of train_wake.py as models/wake.safetensors, with test vectors beside it.

Checks that the exported graph gives PyTorch's logits on val recordings.
"""
from kwstrain.shipping import main
from kwstrain.wakesampler import LABELS
from kwstrain.wakevalidation import wake_validation

CARD = """Six wake words (alexa, computer, jarvis, smart mirror, snowboy, view glass), _unknown_ and _silence_. Binary weights
and activations, five exits, no padding in time. Trained on Picovoice wake-word-benchmark recordings (Apache-2.0), Google
Speech Commands (P. Warden, CC BY 4.0), Arabic Speech Commands (A. Ghandoura, CC BY 4.0), LibriSpeech train-clean-5
(CC BY 4.0), ESC-10 (CC BY 3.0), Speech Commands background noise (CC BY 4.0) and espeak-ng synthetic speech (5 % of the
words, 14 % of the negatives). Figures: docs/wake-words.md."""

if __name__ == "__main__":
    main(__doc__, "wake", LABELS, CARD, wake_validation, 100)
