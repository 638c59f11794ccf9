#!/usr/bin/python3
"""Exports a checkpoint of train_commands.py as models/commands.safetensors, with test vectors beside it.

Checks first that the exported graph gives PyTorch's logits on val clips.
"""
import argparse
import pathlib

import numpy as np
import torch

from kwstrain import reference
from kwstrain.commandnet import CommandNet
from kwstrain.data import LABELS
from kwstrain.export import command_graph
from kwstrain.features import FrontEnd
from kwstrain.safetensors import save
from kwstrain.validation import command_validation

HERE = pathlib.Path(__file__).parent
CARD = """Eight command words (yes no up down left right go stop), _unknown_ and _silence_. Binary weights and
activations, five exits, no padding in time. Trained on Google Speech Commands (P. Warden, CC BY 4.0), Arabic Speech
Commands (A. Ghandoura, CC BY 4.0), Picovoice wake-word-benchmark recordings (Apache-2.0), LibriSpeech train-clean-5
(CC BY 4.0), ESC-10 (CC BY 3.0) and about 5 % espeak-ng synthetic speech. Figures: models/README.md."""


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def check(graph, net, features):
    """The folded graph against PyTorch. A value within rounding of a sign's threshold may flip one bit."""
    with torch.no_grad():
        wanted = np.stack([z.numpy() for z in net(features)], axis=1)
    got = np.stack([reference.run(graph.ops, graph.tensors, f.numpy()) for f in features])
    difference = np.abs(softmax(got) - softmax(wanted)).max((1, 2))
    print(f"probabilities against PyTorch, {len(features)} clips: median {np.median(difference):.1e}, max {difference.max():.1e}")
    return got


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--checkpoint", type=pathlib.Path, default=HERE / "runs" / "commands" / "checkpoint.pt")
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "models" / "commands.safetensors")
    args = parser.parse_args()
    net = CommandNet(len(LABELS))
    net.load_state_dict(torch.load(args.checkpoint, map_location="cpu")["net"])
    net.eval()
    graph = command_graph(net)
    graph.save(args.out, args.out.stem, LABELS, FrontEnd().describe(), " ".join(CARD.split()))

    validation = command_validation(args.data, HERE / "cache")
    some = torch.arange(0, len(validation.labels), 80)
    check(graph, net, validation.features[some])
    rng = np.random.default_rng(1)
    windows = rng.normal(0, 0.7, (3, 98, 64)).astype(np.float32).cumsum(axis=1).clip(-2.5, 3.3)
    logits = np.stack([reference.run(graph.ops, graph.tensors, w) for w in windows])
    save(args.out.with_suffix(".vectors.safetensors"), {"windows": windows, "logits": logits}, {})
    print(f"{args.out}: {args.out.stat().st_size} bytes, {len(graph.ops)} operations")


if __name__ == "__main__":
    main()
