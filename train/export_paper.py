#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Exports a checkpoint of train_paper.py as a model file, with test vectors beside it.

train/check_export.py says whether the C engine computes what PyTorch does.
"""
import argparse
import pathlib

import numpy as np

from kwstrain import paper, randomise, reference
from kwstrain.features import FrontEnd
from kwstrain.safetensors import load, save

WINDOWS = 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path, help="NAME.safetensors; NAME is the model's name")
    parser.add_argument("--card", required=True, help="data, licences and what the model is for")
    parser.add_argument("--front-end-of", type=pathlib.Path, help="model made for the same front end; where the C front end "
                        "is not built")
    args = parser.parse_args()
    features = load(args.front_end_of)[1]["kws.features"] if args.front_end_of else FrontEnd().describe()
    about, net = paper.load(args.checkpoint)
    graph = net.graph()
    graph.save(args.out, args.out.stem, about["labels"], features, args.card)
    windows = randomise.windows(WINDOWS, *graph.shapes["input"][:2], seed=1)[:, 0].numpy()
    logits = np.stack([reference.run(graph.ops, graph.tensors, window) for window in windows])
    save(args.out.with_suffix(".vectors.safetensors"), {"windows": windows, "logits": logits}, {})
    print(f"{args.out}: {args.out.stat().st_size} bytes, {len(graph.ops)} operations, {len(net.heads)} exits")


if __name__ == "__main__":
    main()
