# SPDX-License-Identifier: Apache-2.0
"""Recordings of the data folder, read and placed: what the scripts that make long streams share."""

import csv

import numpy
import soundfile

RATE_HZ = 16000
FLOOR = 3e-4    # -70 dB below full scale: a quiet room is not digital silence
EDGE_DB = 30.0  # a word begins and ends this far below its loudest 10 ms
HIGHEST = 32767 / 32768


def read_rows(path, split="val"):
    with open(path, encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["split"] == split]


def read_audio(path):
    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == RATE_HZ and samples.ndim == 1, path
    return samples


def word_edges(samples):
    """First and last sample of what is loud in a clip."""
    block = RATE_HZ // 100
    power = (samples[:len(samples) // block * block].reshape(-1, block) ** 2).mean(axis=1)
    loud = numpy.flatnonzero(power > power.max() * 10 ** (-EDGE_DB / 10))
    return int(loud[0]) * block, (int(loud[-1]) + 1) * block


def add_floor(samples, chance):
    """The samples in a quiet room, within full scale; `chance` is a numpy generator."""
    noise = chance.standard_normal(len(samples)).astype("float32")
    return numpy.clip(samples + FLOOR * noise, -1, HIGHEST)
