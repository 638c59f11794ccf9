#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a backbone of the paper with five exits, all at once: the sum of the exits' cross-entropies.

Needs ./dev build (the C front end) and the data: the folder of train_commands.py, or any folder of
CLASS/*.wav|flac|opus. Or a pool of make_pool.py, and no more. Writes a checkpoint every epoch, resumes from it.
"""
import argparse
import pathlib

import torch

from kwstrain import paper, pool, training
from kwstrain.commandnet import CommandNet
from kwstrain.data import LABELS
from kwstrain.folder import FolderExamples, classes, folder_validation
from kwstrain.sampler import CommandExamples
from kwstrain.validation import Validation, command_validation

HERE = pathlib.Path(__file__).parent


def exit_numbers(text):
    known = [str(number) for number in range(1, paper.EXITS + 1)]
    if not set(text.split(",")) <= set(known):
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers from 1 to {paper.EXITS}, such as 1,3,5")
    return sorted({int(number) for number in text.split(",")})


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", required=True, choices=paper.BACKBONES)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=pathlib.Path, help="folder with commands.tsv ..., or of CLASS/*.wav|flac|opus")
    source.add_argument("--pool", type=pathlib.Path, help="folder of make_pool.py instead")
    parser.add_argument("--run", type=pathlib.Path, help="folder of the checkpoint (train/runs/ and the name of the model)")
    parser.add_argument("--optimiser", choices=["bop", "latent"], default="bop",
                        help="Bop for the binary weights as in the paper, or latent weights with Adam (default: bop)")
    parser.add_argument("--bop-gamma", type=float, default=1e-4, help="how fast Bop's mean of the gradients adapts")
    parser.add_argument("--bop-threshold", type=float, default=1e-8, help="mean gradient that flips a weight")
    parser.add_argument("--lr-binary", type=float, default=5e-3, help="Adam's rate for latent weights")
    parser.add_argument("--lr", type=float, default=1e-3, help="Adam's rate for all others")
    parser.add_argument("--exits", type=exit_numbers, help="numbers of the exits to train, 5 or 1,3,5 for instance; the "
                        "network ends with the last of them (default: all five)")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="auto: cuda where there is one")
    parser.add_argument("--teacher", type=pathlib.Path, help="checkpoint of train_commands.py, or of this script, whose last "
                        "exit teaches all exits")
    parser.add_argument("--teach", type=float, default=1.0, help="weight of the divergence from the teacher (default: 1)")
    training.add_arguments(parser, epochs=100, distil=0.0)
    return parser.parse_args()


def data_of(folder, batch, batches, seed):
    """(class names, examples, validation) of recordings."""
    cache = HERE / "cache"
    if (folder / "commands.tsv").exists():
        labels, make, validation = LABELS, CommandExamples, command_validation
    else:
        labels, make, validation = classes(folder), FolderExamples, folder_validation
    return labels, make(folder, cache, batch, batches, seed), validation(folder, cache)


def pool_of(folder, batch, batches, seed):
    """The same of a folder of make_pool.py."""
    index = pool.read_index(folder)
    stored, labels = pool.read(folder, "val")
    validation = Validation(pool.restore(stored), labels, index["words"], index["labels"])
    return index["labels"], pool.PoolExamples(folder, batch, batches, seed), validation


def optimisers(net, args):
    if args.optimiser == "bop":
        return training.bop_adam(net, args.bop_gamma, args.bop_threshold, args.lr)
    return training.latent_adam(net, args.lr_binary, args.lr)


def teacher_of(checkpoint, labels):
    """A trained network in evaluation mode, to be asked for its logits."""
    if checkpoint.exists() and not torch.load(checkpoint, map_location="cpu").get("about"):
        about, net = {"labels": LABELS}, CommandNet(len(LABELS))
        net.load_state_dict(torch.load(checkpoint, map_location="cpu")["net"])
    else:
        about, net = paper.load(checkpoint)
    if about["labels"] != labels:
        raise SystemExit(f"{checkpoint}: other labels than those to train: {' '.join(about['labels'])}")
    return net.eval().to(memory_format=torch.channels_last)


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    training.keep_memory()
    take, folder = (data_of, args.data) if args.data else (pool_of, args.pool)
    labels, examples, validation = take(folder, args.batch, args.batches, args.seed)
    about = {"net": args.net, "labels": labels, "latent": args.optimiser == "latent", "exits": args.exits}
    device = training.device(args.device)
    net = paper.build(about).to(device)
    teacher = teacher_of(args.teacher, labels).to(device) if args.teacher else None
    folder = args.run or HERE / "runs" / paper.name(about)
    run = training.Training(net, optimisers(net, args), folder, args, about, teacher, args.teach)
    run.run(examples, validation)


if __name__ == "__main__":
    main()
