#!/usr/bin/python3
"""Trains the command model: binary weights and activations, five exits, latent weights with Adam.

Needs ./dev build (the C front end) and the data, or a pool of make_pool.py and no more. Writes a checkpoint every epoch,
resumes from it.
"""
import argparse
import pathlib

from kwstrain import sources, teacher, training
from kwstrain.commandnet import CommandNet

HERE = pathlib.Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sources.add_arguments(parser)
    parser.add_argument("--run", default=HERE / "runs" / "commands", type=pathlib.Path, help="folder of the checkpoint")
    parser.add_argument("--lr-binary", type=float, default=5e-3)
    parser.add_argument("--lr", type=float, default=2e-3)
    teacher.add_arguments(parser, teach=2.3)
    training.add_arguments(parser, epochs=98, distil=0.0)
    return parser.parse_args()


def main():
    args = arguments()
    training.begin(args)
    labels, examples, validation = sources.of(args)
    net = CommandNet(len(labels)).to(training.device(args.device))
    optimisers = training.latent_adam(net, args.lr_binary, args.lr)
    run = training.Training(net, optimisers, args.run, args, {"labels": labels}, teacher.of(args, labels), args.teach)
    run.run(examples, validation)


if __name__ == "__main__":
    main()
