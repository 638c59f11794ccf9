#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes two long streams of the val data: read sentences with keywords between them.

    bench/make_stream.py DATA OUT

writes OUT/search.flac and OUT/check.flac, each with a .tsv beside it that says which keyword is
spoken from when to when. No speaker, of sentences or of keywords, is in both. The same data gives
the same streams. Where OUT has them already, nothing is done.
"""

import pathlib
import random
import sys
import zlib

import numpy
import soundfile

from clips import RATE_HZ, add_floor, read_audio, read_rows, word_edges

WORDS = ("yes", "no", "up", "down", "left", "right", "go", "stop")
PER_WORD = 40          # in each stream; "stop" has not many more
SENTENCES_S = 2700     # with the keywords and the pauses about an hour
PAUSE_S = (0.3, 0.8)   # around a keyword and between two sentences


def half_of(speaker):
    return zlib.crc32(speaker.encode()) % 2


def pick_keywords(rows, half, chance):
    picked = []
    for word in WORDS:
        paths = sorted(row["path"] for row in rows
                       if row["word"] == word and half_of(row["speaker"]) == half)
        chance.shuffle(paths)
        picked += [(word, path) for path in paths[:PER_WORD]]
    chance.shuffle(picked)
    return picked


def pick_sentences(data, rows, half, chance):
    speakers = sorted({row["speaker"] for row in rows})[half::2]
    paths = sorted(row["path"] for row in rows if row["speaker"] in speakers)
    chance.shuffle(paths)
    picked, seconds = [], 0.0
    for path in paths:
        if seconds < SENTENCES_S:
            picked.append(read_audio(data / path))
            seconds += len(picked[-1]) / RATE_HZ
    return picked


def make(data, rows, half, out):
    chance = random.Random(half)
    keywords = pick_keywords(rows["commands.tsv"], half, chance)
    sentences = pick_sentences(data, rows["speech.tsv"], half, chance)
    parts, labels, at = [], [], 0

    def append(samples):
        nonlocal at
        parts.append(samples)
        at += len(samples)

    def pause():
        append(numpy.zeros(int(chance.uniform(*PAUSE_S) * RATE_HZ), "float32"))

    for index, sentence in enumerate(sentences):
        append(sentence)
        pause()
        # spread evenly, whether there are more keywords or more sentences
        share = len(keywords) * (index + 1) // len(sentences)
        while len(labels) < share:
            word, clip = keywords[len(labels)]
            samples = read_audio(data / clip)
            first, last = word_edges(samples)
            labels.append((at + first, at + last, word))
            append(samples)
            pause()
    stream = add_floor(numpy.concatenate(parts), numpy.random.default_rng(half))
    soundfile.write(out.with_suffix(".part.flac"), stream, RATE_HZ, format="FLAC",
                    subtype="PCM_16")
    with open(out.with_suffix(".tsv"), "w", encoding="utf-8") as file:
        file.write("start\tend\tlabel\n")
        for begin, end, word in labels:
            file.write(f"{begin / RATE_HZ:.3f}\t{end / RATE_HZ:.3f}\t{word}\n")
    out.with_suffix(".part.flac").rename(out)  # last: it tells that all is there


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    data, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    rows = None
    for half, name in enumerate(("search.flac", "check.flac")):
        if not (out / name).exists():
            rows = rows or {name: read_rows(data / name) for name in
                            ("commands.tsv", "speech.tsv")}
            make(data, rows, half, out / name)


if __name__ == "__main__":
    main()
