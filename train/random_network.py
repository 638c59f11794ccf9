#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a full-size backbone of the paper with random weights as a model file, to measure its speed.

Needs ./dev build (the front end that the model names).
"""
import argparse
import pathlib

from kwstrain.data import LABELS
from kwstrain.features import FrontEnd
from kwstrain.paper import BACKBONES
from kwstrain.randomise import full


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", required=True, choices=BACKBONES)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    full(args.net, len(LABELS), args.seed).graph().save(args.out, args.net, LABELS, FrontEnd().describe(), f"{args.net} with random weights, seed {args.seed}.")


if __name__ == "__main__":
    main()
