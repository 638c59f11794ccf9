#!/usr/bin/python3
"""Trains the wake-word model from the command model's weights: the same network, other heads.

Needs ./dev build (the C front end), the data folder and a checkpoint of train_commands.py.
"""
import argparse
import pathlib

import numpy as np
import torch

from kwstrain import training
from kwstrain.commandnet import CommandNet
from kwstrain.wakesampler import LABELS, WakeExamples
from kwstrain.wakevalidation import wake_validation

HERE = pathlib.Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with wakewords.tsv, commands.tsv, speech.tsv, noise.tsv ...")
    parser.add_argument("--run", default=HERE / "runs" / "wake", type=pathlib.Path, help="folder of the checkpoint")
    parser.add_argument("--mined", type=pathlib.Path, help="negatives found by mine_alarms.py")
    parser.add_argument("--lr-binary", type=float, default=3e-3)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    training.add_arguments(parser, epochs=14, distil=0.5)
    return parser.parse_args()


def adopt(net, checkpoint):
    """Takes what has the same shape from another network's checkpoint: all but the heads of other words."""
    known = torch.load(checkpoint, map_location="cpu")["net"]
    own = net.state_dict()
    net.load_state_dict({name: known[name] if name in known and known[name].shape == own[name].shape else own[name]
                         for name in own})


def main():
    args = arguments()
    training.begin(args)
    cache = HERE / "cache"
    net = CommandNet(len(LABELS)).to(training.device(args.device))
    if args.init:
        adopt(net, args.init)
        args.init = None
    mined = np.load(args.mined, mmap_mode="r") if args.mined else None
    examples = WakeExamples(args.data, cache, args.batch, args.batches, args.seed, mined)
    run = training.Training(net, training.latent_adam(net, args.lr_binary, args.lr), args.run, args, {"labels": LABELS})
    run.run(examples, wake_validation(args.data, cache))


if __name__ == "__main__":
    main()
