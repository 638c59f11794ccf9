#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/paper.md: size, latency and accuracy of the paper's backbones, measured with the C engine.

Takes those of quicknet, birealnet, binarydensenet and meliusnet that lie in a folder as NAME.safetensors, and
NET-single-N.safetensors, trained with exit N alone. ./dev paper builds what it needs and calls it. Writes nothing
unless all could be measured.
"""
import argparse
import pathlib
import sys

from kwstrain.data import LABELS, rows
from kwstrain.features import FRAMES
from report.engine import Engine
from report.measured import find, measure, measure_single
from report.page import figures, page

ROOT = pathlib.Path(__file__).parents[1]
ROUNDS = 3


def arguments():
    parser = argparse.ArgumentParser(prog="./dev paper", description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "models" / "paper", help="folder of the models (models/paper)")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared" / "data",
                        help="folder with commands.tsv and noise.tsv (../shared/data)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "paper.md",
                        help="the page; its figures come to lie beside it (docs/paper.md)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of the timing ({ROUNDS})")
    parser.add_argument("--kws", type=pathlib.Path, default=ROOT / "build-release" / "cli" / "kws")
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build-release" / "bench" / "bench-networks")
    return parser.parse_args()


def judged(folder):
    """(paths, names of the classes, words) of the validation clips."""
    try:
        clips = rows(folder)
    except OSError as error:
        raise SystemExit(f"{error.filename}: {error.strerror}; --data names the folder with the validation clips")
    if not clips:
        raise SystemExit(f"{folder}: no validation clip in commands.tsv and noise.tsv")
    return [path for path, _, _ in clips], [LABELS[label] for _, label, _ in clips], [word for _, _, word in clips]


def say(text):
    print(f"paper: {text}", file=sys.stderr, flush=True)


def main():
    args = arguments()
    clips, wanted, words = judged(args.data)
    engine = Engine(args.kws, args.bench)
    several, single = find(args.models, engine, LABELS)
    front_end_us, measured = measure(several, engine, clips, wanted, args.rounds, FRAMES, say)
    alone = measure_single(single, engine, clips, wanted, say)
    written = {args.out.name: page("./dev paper", measured, alone, front_end_us, wanted, words), **figures(measured, LABELS)}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (args.out.parent / name).write_text(text)
    say(f"wrote {args.out} and {len(written) - 1} figures: " + ", ".join(measured))


if __name__ == "__main__":
    main()
