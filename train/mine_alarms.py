#!/usr/bin/python3
"""Collects what a wake-word model wrongly takes for a wake word in the training recordings, to train against it.

Read sentences, command words and foreign words of the train split, as they are, faster, slower and in noise, go through the
C engine; each moment in which a wake word's posterior passes --above is kept.
"""
import argparse
import pathlib

import numpy as np

from kwstrain import augment
from kwstrain.data import RATE, Corpus
from kwstrain.scan import scores
from kwstrain.wakesampler import LABELS, UNKNOWN

HERE = pathlib.Path(__file__).parent
MARGIN = 2400          # samples kept on either side of the window
APART_S = 0.4          # between two moments
PIECE = 1800 * RATE    # audio scanned at once
HOP_FRAMES = 4
SMOOTHED = 3           # hops averaged: one hop's flicker is no alarm


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--out", default=HERE / "runs" / "wake" / "mined.npy", type=pathlib.Path)
    parser.add_argument("--with", dest="earlier", type=pathlib.Path, help="what was mined before, to keep")
    parser.add_argument("--above", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=1, help="1: as it is; more: also respeeded and in noise")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def pieces(corpus):
    """All negatives in pieces of at most half an hour, a short pause after each recording."""
    parts, length = [], 0
    for clips in (corpus.speech, corpus.otherwords, corpus.commands):
        for i in range(len(clips)):
            parts += [clips[i], np.zeros(RATE // 10, np.int16)]
            length += len(clips[i]) + RATE // 10
            if length > PIECE:
                yield np.concatenate(parts)
                parts, length = [], 0
    yield np.concatenate(parts)


def varied(samples, corpus, rng):
    """At another speed, at random moments in noise."""
    factor = 1 + rng.uniform(-0.15, 0.15)
    samples = np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples).astype(np.float32) / 32768
    for start in range(0, len(samples) - 4 * RATE, 4 * RATE):
        part = samples[start : start + 4 * RATE]
        if rng.random() < 0.6 and (part**2).mean() > 1e-7:
            noise = np.tile(augment.crop(corpus.noise[int(rng.integers(len(corpus.noise)))], rng), 4)
            part[:] = augment.mix(part, noise, rng.uniform(0, 20))
    return np.int16(np.clip(samples * 32768, -32768, 32767))


def moments(model, samples, above):
    """Windows with a margin on either side around each moment, (count, samples) of int16."""
    at, posteriors = scores(model, samples, LABELS, HOP_FRAMES)
    best = np.max([np.convolve(posteriors[:, i], np.ones(SMOOTHED) / SMOOTHED, "same") for i in range(UNKNOWN)], axis=0)
    kept, last = [], -RATE
    for hop in np.flatnonzero(best > above):
        low, high = at[hop] - RATE - MARGIN, at[hop] + MARGIN
        if at[hop] - last > APART_S * RATE and low >= 0 and high <= len(samples):
            kept.append(samples[low:high])
            last = at[hop]
    return kept


def main():
    args = arguments()
    corpus = Corpus(args.data, "train", HERE / "cache")
    rng = np.random.default_rng(args.seed)
    found = list(np.load(args.earlier)) if args.earlier else []
    for turn in range(args.rounds):
        before = len(found)
        for samples in pieces(corpus):
            found += moments(args.model, samples if turn == 0 else varied(samples, corpus, rng), args.above)
        print(f"round {turn + 1}: {len(found) - before} moments", flush=True)
        np.save(args.out, np.array(found, np.int16))


if __name__ == "__main__":
    main()
