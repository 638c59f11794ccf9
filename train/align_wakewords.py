#!/usr/bin/python3
"""Finds the wake word in each recording of wakewords.tsv and writes wakewords-alignment.tsv.

By energy: the loudest part between two pauses. `by` says `energy` where there is one part and it is as long as a word,
else `unsure`: several parts, or too long a one.
"""
import argparse
import pathlib

from kwstrain.data import RATE, Clips, read_list
from kwstrain.wakewords import align, write_alignment

HERE = pathlib.Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder with wakewords.tsv")
    args = parser.parse_args()
    found = []
    for split in ("train", "val"):
        paths = [row["path"] for row in read_list(args.data / "wakewords.tsv") if row["split"] == split]
        clips = Clips(f"{split}-wakewords", [args.data / path for path in paths], HERE / "cache")
        for path, samples in zip(paths, clips):
            start, end, sure = align(samples)
            found.append((path, start / RATE, end / RATE, "energy" if sure else "unsure"))
    write_alignment(sorted(found))
    print(f"{len(found)} recordings, {sum(by == 'unsure' for *_, by in found)} of them unsure")


if __name__ == "__main__":
    main()
