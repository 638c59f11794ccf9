#!/usr/bin/python3
"""Searches the exits of a trained command network: where they leave it and what their branches consist of.

NSGA-II over accuracy and cost, for thresholds that are tuned for each candidate; the cost is the C engine's time on
this machine. The backbone stays as it is. Needs ./dev build, ./dev bench networks and the data folder; goes on from
what an earlier run in the same folder has trained and measured, if that was of the same checkpoint and examples.
"""
import argparse
import json
import os
import pathlib

import torch

from kwstrain.commandnet import load
from kwstrain.data import LABELS
from kwstrain.features import FrontEnd
from kwstrain.sampler import CommandExamples
from kwstrain.validation import command_validation
from search import stamp
from search.branches import cosine, kept_branches, optimiser_of, step
from search.cost import Cost
from search.export import graph_of
from search.features import Features, examples_of
from search.genetic import chain_of, search
from search.halves import halves
from search.space import decode
from search.table import Table

HERE = pathlib.Path(__file__).parent
CARD = """A command network with exits that a search has chosen and trained on its frozen backbone
(train/search_exits.py); data and licences as models/commands.safetensors."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with commands.tsv, speech.tsv, noise.tsv ...")
    parser.add_argument("--checkpoint", type=pathlib.Path, default=HERE / "runs" / "commands" / "checkpoint.pt")
    parser.add_argument("--run", type=pathlib.Path, default=HERE / "runs" / "search", help="folder of what is trained")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "runs" / "search" / "commands-searched.safetensors")
    parser.add_argument("--examples", type=int, default=12000, help="augmented training examples, 260 KB of memory each")
    parser.add_argument("--population", type=int, default=40, help="a multiple of 4")
    parser.add_argument("--generations", type=int, default=25)
    parser.add_argument("--penalty", type=float, default=2.0,
                        help="picks the model from the front: points of accuracy that the cost of a whole network is worth")
    parser.add_argument("--polish", type=int, default=12, help="epochs of fresh examples for the exits picked")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def cached_examples(args):
    """The same examples in every run of a folder."""
    store = args.run / "examples.pt"
    if not store.exists():
        examples = CommandExamples(args.data, HERE / "cache", 128, 1 + args.examples // 128, args.seed + 1000)
        torch.save(examples_of(examples, args.examples), store)
    return torch.load(store)


def pick(front, penalty):
    """The individual of the front that gives most for this weight of the cost."""
    return min(front, key=lambda one: one.fitness.values[0] + penalty * one.fitness.values[1] / 100)


def polish(backbone, nets, args):
    """Trains the branches {position: net} on, with examples that none has seen."""
    order = sorted(nets)
    batches = 230
    optimiser = optimiser_of([nets[p] for p in order], lr_binary=2e-3, lr=1e-3)
    schedule = cosine(optimiser, args.polish * batches)
    examples = CommandExamples(args.data, HERE / "cache", 128, batches, args.seed + 2000)
    for epoch in range(args.polish):
        examples.epoch = epoch
        total = 0.0
        for inputs, labels in torch.utils.data.DataLoader(examples, batch_size=None, num_workers=1, prefetch_factor=8):
            with torch.no_grad():
                outputs = dict(backbone.walk(inputs))
                teacher = backbone.heads[str(len(backbone.blocks))](outputs[len(backbone.blocks)])
            total += step([nets[p].train() for p in order], [outputs[p] for p in order], labels, teacher, optimiser,
                          schedule, 0.5)
        print(f"polish {epoch + 1}/{args.polish}: loss {total / batches:.3f}", flush=True)


def describe(chain, branches, deltas):
    accuracy, mean_us, shares = chain.play(deltas)
    lines = [f"  {branch}; delta {delta}, {100 * share:.1f} %" for branch, delta, share in zip(branches, deltas, shares)]
    return "\n".join([f"accuracy {accuracy:.2f} %, mean {mean_us:.1f} us", *lines, f"  last exit {100 * shares[-1]:.1f} %"])


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    stamp.claim(args.run, args.checkpoint, data=os.path.realpath(args.data), examples=args.examples, seed=args.seed)
    backbone = load(args.checkpoint, LABELS)
    validation = command_validation(args.data, HERE / "cache")
    inputs, labels = cached_examples(args)
    table = Table(args.run / "branches.pt", Features(backbone, inputs, labels),
                  Features(backbone, validation.features, validation.labels), len(LABELS),
                  kept_branches(backbone, len(LABELS)))
    cost = Cost(backbone, args.run / "cost.json")
    rows, _ = halves(len(validation.labels))
    front = search(table, cost, rows, args.population, args.generations, args.seed)
    (args.run / "front.json").write_text(json.dumps([[list(one), one.fitness.values] for one in front]))
    branches, penalty = decode(pick(front, args.penalty))
    chain = chain_of(table, cost, branches, rows)
    print("picked, on the half of the clips that it was searched with:\n" + describe(chain, branches, chain.tune(penalty)))
    nets = {branch.position: table.net(branch) for branch in branches}
    polish(backbone, nets, args)
    graph_of(backbone, {p: net.eval() for p, net in nets.items()}).save(
        args.out, args.out.stem, LABELS, FrontEnd().describe(), " ".join(CARD.split()))
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
