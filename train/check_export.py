#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the C engine computes what PyTorch does, at every exit, on random and on real windows.

The exported graph runs in the C engine (build/tests/test-vectors) and in numpy, which must agree bit for bit, and numpy
is compared with PyTorch (see kwstrain/agreement.py). Also asserts the paper's parameter counts. Needs ./dev build.
"""
import argparse
import pathlib
import sys

try:
    import torch
except ImportError:
    sys.exit(77)  # meson: skipped

import numpy as np

from kwstrain import randomise
from kwstrain.agreement import ENGINE, Agreement
from kwstrain.data import LABELS
from kwstrain.paper import BACKBONES, PARAMETERS, load, parameters

HERE = pathlib.Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=BACKBONES, action="append", help="with random weights; may be repeated (all four)")
    parser.add_argument("--checkpoint", type=pathlib.Path, help="a network of train_paper.py instead")
    parser.add_argument("--tiny", action="store_true", help="with few channels and a small input")
    parser.add_argument("--random", type=int, default=8, help="random windows")
    parser.add_argument("--real", type=int, default=8, help="clips of --data")
    parser.add_argument("--data", type=pathlib.Path, help="data folder of the training scripts")
    parser.add_argument("--engine", type=pathlib.Path, default=ENGINE, help="the program test-vectors")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def networks(args):
    """(name, network, (rows, bands))"""
    if args.checkpoint:
        about, net = load(args.checkpoint)
        yield about["net"], net, (98, 64)
        return
    for name in args.net or BACKBONES:
        if args.tiny:
            yield name, *randomise.tiny(name, args.seed)
        else:
            yield name, randomise.full(name, len(LABELS), args.seed), (98, 64)


def real_windows(args):
    """Features of clips of the val split, from all over it."""
    if args.data is None or args.tiny:
        return []
    from kwstrain.folder import folder_validation
    from kwstrain.validation import command_validation

    commands = (args.data / "commands.tsv").exists()
    features = (command_validation if commands else folder_validation)(args.data, HERE / "cache").features
    return [features[int(i), 0].numpy() for i in np.linspace(0, len(features) - 1, args.real)]


def check_parameters(name):
    count = parameters(BACKBONES[name](10))
    difference = 100 * (count / PARAMETERS[name] - 1)
    print(f"{name}: {count} parameters, {difference:+.2f} % of the paper's {PARAMETERS[name] / 1e6:g} M")
    return abs(difference) <= 1


def check(name, net, shape, args, real):
    agreement = Agreement(net, net.graph(*shape))
    for window in [w[0].numpy() for w in randomise.windows(args.random, *shape, args.seed + 1)] + real:
        agreement.add(window)
    print(f"{name}: {agreement}", flush=True)
    engine = agreement.run_engine(args.engine)
    print(f"{name}: C engine and numpy {'agree bit for bit' if engine else 'DIFFER'} at {agreement.logits[0].shape[0]} exits")
    return engine and not agreement.failed()


def main():
    args = arguments()
    torch.set_num_threads(2)
    real = real_windows(args)
    good = [] if args.checkpoint else [check_parameters(name) for name in args.net or BACKBONES]
    good += [check(name, net, shape, args, real) for name, net, shape in networks(args)]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
