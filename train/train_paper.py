#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a backbone of the paper with five exits, all at once: the sum of the exits' cross-entropies.

Needs ./dev build (the C front end) and the data: the folder of train_commands.py, or any folder of
CLASS/*.wav|flac|opus. Or a pool of make_pool.py, and no more. Writes a checkpoint every epoch, resumes from it.
"""
import argparse
import pathlib

from kwstrain import paper, sources, teacher, training

HERE = pathlib.Path(__file__).parent


def exit_numbers(text):
    known = [str(number) for number in range(1, paper.EXITS + 1)]
    if not set(text.split(",")) <= set(known):
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers from 1 to {paper.EXITS}, such as 1,3,5")
    return sorted({int(number) for number in text.split(",")})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", required=True, choices=paper.BACKBONES)
    sources.add_arguments(parser)
    parser.add_argument("--run", type=pathlib.Path, help="folder of the checkpoint (train/runs/ and the name of the model)")
    parser.add_argument("--optimiser", choices=["bop", "latent"], default="bop",
                        help="Bop for the binary weights as in the paper, or latent weights with Adam (default: bop)")
    parser.add_argument("--bop-gamma", type=float, default=1e-4, help="how fast Bop's mean of the gradients adapts")
    parser.add_argument("--bop-threshold", type=float, default=1e-8, help="mean gradient that flips a weight")
    parser.add_argument("--lr-binary", type=float, default=5e-3, help="Adam's rate for latent weights")
    parser.add_argument("--lr", type=float, default=1e-3, help="Adam's rate for all others")
    parser.add_argument("--exits", type=exit_numbers, help="numbers of the exits to train, 5 or 1,3,5 for instance; the "
                        "network ends with the last of them (default: all five)")
    teacher.add_arguments(parser, teach=1.0)
    training.add_arguments(parser, epochs=100, distil=0.0)
    return parser.parse_args()


def optimisers(net, args):
    if args.optimiser == "bop":
        return training.bop_adam(net, args.bop_gamma, args.bop_threshold, args.lr)
    return training.latent_adam(net, args.lr_binary, args.lr)


def main():
    args = arguments()
    training.begin(args)
    labels, examples, validation = sources.of(args)
    about = {"net": args.net, "labels": labels, "latent": args.optimiser == "latent", "exits": args.exits}
    net = paper.build(about).to(training.device(args.device))
    folder = args.run or HERE / "runs" / paper.name(about)
    run = training.Training(net, optimisers(net, args), folder, args, about, teacher.of(args, labels), args.teach)
    run.run(examples, validation)


if __name__ == "__main__":
    main()
