#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes training examples and the validation clips as features, to train where there is neither data nor front end.

The training scripts' --pool takes the folder. 6 KB an example; files of at most --file examples.
"""
import argparse
import os
import pathlib

import numpy as np
import torch

from kwstrain import pool, sources


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder with commands.tsv ..., or of CLASS/*.wav|flac|opus")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder of the pool")
    parser.add_argument("--examples", type=int, default=60000)
    parser.add_argument("--file", type=int, default=9000, help="examples in a file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    args = arguments()
    pool.begin(args.out)
    counts = [min(args.file, args.examples - start) for start in range(0, args.examples, args.file)]
    labels, examples, validation = sources.of_recordings(args.data, batch=1, batches=args.examples, seed=args.seed)
    examples.masked = False
    pool.write_index(args.out, labels, validation.words)
    pool.write(args.out, "val", 0, validation.features[:, 0].numpy(), validation.labels.numpy())
    made = iter(torch.utils.data.DataLoader(examples, batch_size=None, num_workers=args.jobs, prefetch_factor=64))
    for number, count in enumerate(counts):
        batch = [next(made) for _ in range(count)]
        pool.write(args.out, "train", number, np.concatenate([f[:, 0].numpy() for f, _ in batch]),
                   np.concatenate([l.numpy() for _, l in batch]))
        print(f"{args.out}: {sum(counts[:number + 1])} of {args.examples}", flush=True)


if __name__ == "__main__":
    main()
