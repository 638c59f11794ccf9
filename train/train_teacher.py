#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a float network for binary ones to learn from: train_commands.py and train_paper.py --teacher take its checkpoint.

Writes a checkpoint every epoch, resumes from it.
"""
import argparse
import pathlib

import torch

from kwstrain import sources, teacher, training

HERE = pathlib.Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sources.add_arguments(parser)
    parser.add_argument("--run", default=HERE / "runs" / "teacher", type=pathlib.Path, help="folder of the checkpoint")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.03)
    training.add_arguments(parser, epochs=48)
    return parser.parse_args()


def main():
    args = arguments()
    training.begin(args)
    labels, examples, validation = sources.of(args)
    net = teacher.TeacherNet(len(labels)).to(training.device(args.device))
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    run = training.Training(net, [optimiser], args.run, args, {"net": teacher.NAME, "labels": labels})
    run.run(examples, validation)


if __name__ == "__main__":
    main()
