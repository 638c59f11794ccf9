#!/usr/bin/python3
"""Trains the command model: binary weights and activations, five exits, latent weights with Adam.

Needs ./dev build (the C front end) and the data folder; writes a checkpoint every epoch, resumes from it.
"""
import argparse
import pathlib

import torch

from kwstrain import training
from kwstrain.commandnet import CommandNet
from kwstrain.data import LABELS
from kwstrain.sampler import CommandExamples
from kwstrain.validation import command_validation

HERE = pathlib.Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with commands.tsv, speech.tsv, noise.tsv ...")
    parser.add_argument("--run", default=HERE / "runs" / "commands", type=pathlib.Path, help="folder of the checkpoint")
    parser.add_argument("--lr-binary", type=float, default=5e-3)
    parser.add_argument("--lr", type=float, default=2e-3)
    training.add_arguments(parser, epochs=40, distil=0.5)
    return parser.parse_args()


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    cache = HERE / "cache"
    examples = CommandExamples(args.data, cache, args.batch, args.batches, args.seed)
    net = CommandNet(len(LABELS))
    run = training.Training(net, training.latent_adam(net, args.lr_binary, args.lr), args.run, args)
    run.run(examples, command_validation(args.data, cache))


if __name__ == "__main__":
    main()
