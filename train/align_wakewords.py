#!/usr/bin/python3
"""Finds the wake word in each recording of wakewords.tsv and writes wakewords-alignment.tsv.

By energy: the loudest part between two pauses. `by` says `energy` where there is one part and it is as long as a word,
else `unsure`: several parts, or too long a one. With --model these are listened to: where a network trained on the others
finds the word's posterior highest, the word has just ended, and `by` says `model`.
"""
import argparse
import pathlib

import numpy as np

from kwstrain.data import RATE, Clips, read_list
from kwstrain.wakewords import align, write_alignment

HERE = pathlib.Path(__file__).parent
LEAD = 3 * RATE // 2  # silence before each recording: a window is full when it begins
TAIL = RATE // 2
HEARD_AT = 0.5        # a lower posterior proves nothing


def listen(model, recordings):
    """For each (word, samples) where in it, in samples, its word ends and how sure the model is of that.

    The posterior is high for as long as the windows end soon after the word; the end is that of the first of them,
    as the middle less half of what training allowed (kwstrain.wakesampler).
    """
    from kwstrain.scan import scores
    from kwstrain.wakesampler import EARLIEST_S, LABELS, LATEST_S

    audio = [np.pad(samples, (LEAD, TAIL)) for _, samples in recordings]
    at, posteriors = scores(model, np.concatenate(audio), LABELS, hop_frames=2)
    found, begin = [], 0
    for (word, samples), padded in zip(recordings, audio):
        own = (at > begin + LEAD) & (at <= begin + len(padded))
        heard = posteriors[own, LABELS.index(word)] ** 2
        centre = (heard * (at[own] - begin - LEAD)).sum() / heard.sum()
        end = int(centre - (EARLIEST_S + LATEST_S) / 2 * RATE)
        found.append((min(max(end, 0), len(samples)), float(np.sqrt(heard.max()))))
        begin += len(padded)
    return found


def by_energy(data):
    """[path, word, samples, start, end, sure] of every recording."""
    for split in ("train", "val"):
        rows = [row for row in read_list(data / "wakewords.tsv") if row["split"] == split]
        clips = Clips(f"{split}-wakewords", [data / row["path"] for row in rows], HERE / "cache")
        for row, samples in zip(rows, clips):
            yield [row["path"], row["word"], samples, *align(samples)]


def compare(found, ends):
    """How far the two criteria lie apart where both can tell."""
    apart = [(heard_end - end) / RATE for (*_, end, sure), (heard_end, posterior) in zip(found, ends) if sure and posterior > HEARD_AT]
    low, middle, high = np.percentile(apart, [5, 50, 95])
    print(f"ends by the model less those by energy: median {middle:+.3f} s, 5 to 95 % {low:+.3f} to {high:+.3f} s, {len(apart)} recordings")


def refine(found, ends):
    """The ends of the unsure by the model; yields rows of the alignment."""
    lengths = {}
    for _, word, _, start, end, sure in found:
        lengths.setdefault(word, []).extend([end - start] if sure else [])
    for (path, word, _, start, end, sure), (heard_end, posterior) in zip(found, ends):
        if not sure and posterior > HEARD_AT:
            start, end = max(heard_end - int(np.median(lengths[word])), 0), heard_end
        yield path, start / RATE, end / RATE, "energy" if sure else "model" if posterior > HEARD_AT else "unsure"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path, help="folder with wakewords.tsv")
    parser.add_argument("--model", type=pathlib.Path, help="wake-word model that listens where energy does not tell")
    args = parser.parse_args()
    found = list(by_energy(args.data))
    ends = [(0, 0.0)] * len(found)
    if args.model:
        ends = listen(args.model, [(word, samples) for _, word, samples, *_ in found])
        compare(found, ends)
    rows = sorted(refine(found, ends))
    write_alignment(rows)
    for by in ("energy", "model", "unsure"):
        print(f"{by}: {sum(row[3] == by for row in rows)}")


if __name__ == "__main__":
    main()
