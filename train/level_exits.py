#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Temperatures with which one delta means the same at every exit of a network of train_paper.py.

A clip that leaves at a shallow exit is less often right than one that leaves with the same entropy at the last: it has seen
less. The temperature of an exit is the smallest from 1 with which the answers below delta are right as often as the last
exit's, on examples of a pool (make_pool.py), never on the val split. Prints a line for set_exits.py.
"""
import argparse
import json
import pathlib

import numpy as np
import torch

from kwstrain import paper, pool
from kwstrain.agreement import softmax
from search.thresholds import entropy

STEP, MOST = 0.05, 5.0
BATCH = 128
FEW = 50  # answers that tell too little to go by


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, type=pathlib.Path)
    parser.add_argument("--pool", required=True, type=pathlib.Path, help="folder of make_pool.py; its last examples are used")
    parser.add_argument("--examples", type=int, default=10000)
    parser.add_argument("--delta", type=float, default=0.5, help="entropy in nats at which the exits are to agree")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def logits_of(net, features, first):
    """(exits, examples, classes), of the examples from `first` on."""
    batches = []
    with torch.no_grad():
        for begin in range(first, features.ends[-1], BATCH):
            end = min(begin + BATCH, features.ends[-1])
            windows = np.stack([pool.restore(features[i]) for i in range(begin, end)])
            batches.append(torch.stack(net(torch.from_numpy(windows)[:, None])).numpy())
    return np.concatenate(batches, axis=1)


def left(logits, labels, temperature, delta):
    """(how many leave, share of them that are right) at one exit."""
    sure = entropy(softmax(logits / temperature)) < delta
    return sure.sum(), (logits[sure].argmax(1) == labels[sure]).mean() if sure.any() else 1.0


def level(logits, labels, delta):
    """The temperature of each exit."""
    _, wanted = left(logits[-1], labels, 1.0, delta)
    found = []
    for exit_logits in logits[:-1]:
        for temperature in np.arange(1, MOST, STEP):
            count, right = left(exit_logits, labels, temperature, delta)
            if right >= wanted or count < FEW:
                break
        found.append(round(float(temperature), 2))
        print(f"exit {len(found)}: temperature {found[-1]:.2f}, {100 * count / len(labels):.1f} % leave, {100 * right:.2f} % of "
              f"them right")
    print(f"last exit: {100 * wanted:.2f} % of those below {delta:g} are right")
    return found + [1]


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    about, net = paper.load(args.checkpoint)
    if pool.read_index(args.pool)["labels"] != about["labels"]:
        raise SystemExit(f"{args.pool}: other labels than the network's")
    features, labels = pool.read(args.pool, "train")
    first = max(len(labels) - args.examples, 0)
    print(json.dumps({"temperature": level(logits_of(net, features, first), labels[first:], args.delta)}))


if __name__ == "__main__":
    main()
