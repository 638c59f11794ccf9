"""A trained command network as a model file, checked against PyTorch, with test vectors beside it."""
import argparse
import pathlib

import numpy as np
import torch

from . import reference
from .agreement import TOLERANCE, softmax
from .commandnet import load
from .export import command_graph
from .features import FrontEnd
from .safetensors import save

TRAIN = pathlib.Path(__file__).parents[1]


def check(graph, net, features):
    """The folded graph against PyTorch. Most clips differ by less than 1e-6; a value within rounding of a sign's threshold
    may flip one bit, and all that follows it in that clip."""
    with torch.no_grad():
        wanted = np.stack([z.numpy() for z in net(features)], axis=1)
    got = np.stack([reference.run(graph.ops, graph.tensors, f.numpy()) for f in features])
    difference = np.abs(softmax(got) - softmax(wanted)).max((1, 2))
    if not np.median(difference) <= TOLERANCE:
        raise SystemExit(f"the graph's probabilities are not PyTorch's: in half of {len(features)} clips they differ by "
                         f"{np.median(difference):.1e} or more; nothing was written")
    print(f"probabilities against PyTorch, {len(features)} clips: median {np.median(difference):.1e}, max {difference.max():.1e}")


def prefer_unknown(net, labels, logit):
    """Adds to the logit of `_unknown_` at every exit: words that training has not heard are worse than those it has."""
    with torch.no_grad():
        for head in net.heads.values():
            head.dense.bias[labels.index("_unknown_")] += logit


def ship(net, labels, card, out, features):
    """Writes `out` and its vectors. `features` (clips, 1, 98, 64) to check it with."""
    graph = command_graph(net)
    check(graph, net, features)
    graph.save(out, out.stem, labels, FrontEnd().describe(), " ".join(card.split()))
    rng = np.random.default_rng(1)
    windows = rng.normal(0, 0.7, (3, 98, 64)).astype(np.float32).cumsum(axis=1).clip(-2.5, 3.3)
    logits = np.stack([reference.run(graph.ops, graph.tensors, w) for w in windows])
    save(out.with_suffix(".vectors.safetensors"), {"windows": windows, "logits": logits}, {})
    print(f"{out}: {out.stat().st_size} bytes, {len(graph.ops)} operations")


def main(about, name, labels, card, validation, every):
    """A script's: exports the checkpoint of the run `name`, checked on each `every`th clip of validation(data, cache)."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--checkpoint", type=pathlib.Path, default=TRAIN / "runs" / name / "checkpoint.pt")
    parser.add_argument("--out", type=pathlib.Path, default=TRAIN.parent / "models" / f"{name}.safetensors")
    parser.add_argument("--unknown", type=float, default=0.0, help="added to the logit of _unknown_ at every exit")
    args = parser.parse_args()
    net = load(args.checkpoint, labels)
    features = validation(args.data, TRAIN / "cache").features
    prefer_unknown(net, labels, args.unknown)
    ship(net, labels, card, args.out, features[::every])
