# SPDX-License-Identifier: Apache-2.0
"""Long streams of speech and noise with wake words between, one for each level of noise.

The speech is the same at every level, in the same order; the noise under it is another mix of the
same recordings. It is as loud as the level says against each sentence and each word, which keep the
loudness of their recording, and goes over from one to the next in the pause between. The same data
gives the same streams.
"""

import csv
import hashlib
import json
import pathlib
import random
import shutil
from typing import NamedTuple

import numpy
import soundfile

from clips import RATE_HZ, add_floor, read_audio, read_rows, word_edges

LEVELS = {"clean": None, "20 dB": 20, "10 dB": 10, "5 dB": 5, "0 dB": 0}
KINDS = ("speech", "otherwords", "noise", "wakewords")
PAUSE_S = (0.3, 0.8)
SEED = 8


class Streams(NamedTuple):
    files: dict     # level: path
    words: list     # of Word, in order
    seconds: dict   # kind of recording: how much of it; "all": length of the stream
    speakers: int   # of the sentences


class Word(NamedTuple):
    """A wake word in the streams."""
    label: str
    start_s: float
    end_s: float
    sure: bool      # false: this is the whole recording, the word is somewhere in it


class Place(NamedTuple):
    """Where the word is in a recording, in samples."""
    first: int
    last: int
    sure: bool  # told by its energy alone, not by a network


class Noise:
    """The val recordings of noise in random order without end, each with a mean power of 1."""

    def __init__(self, recordings, seed):
        self.recordings = [samples / numpy.sqrt((samples ** 2).mean()) for samples in recordings]
        self.chance = random.Random(seed)
        self.rest = numpy.zeros(0, "float32")

    def read(self, count):
        while len(self.rest) < count:
            self.rest = numpy.concatenate([self.rest, self.chance.choice(self.recordings)])
        samples, self.rest = self.rest[:count], self.rest[count:]
        return samples


class Level:
    """The stream of one level of noise, as it is written."""

    def __init__(self, path, snr_db, noise, seed):
        self.snr_db, self.noise, self.gain = snr_db, noise, 0.0
        self.chance = numpy.random.default_rng(seed)
        self.file = soundfile.SoundFile(path, "w", RATE_HZ, 1, format="FLAC", subtype="PCM_16")

    def append(self, pause, samples, power):
        """`pause` samples of rest, then `samples`, whose speech has this mean power; None: none."""
        signal = numpy.concatenate([numpy.zeros(pause, "float32"), samples])
        if self.snr_db is not None:
            signal += self.gains(pause, len(samples), power) * self.noise.read(len(signal))
        self.file.write(add_floor(signal, self.chance))

    def gains(self, pause, length, power):
        """The noise's: in the pause it goes over to what suits the power."""
        before = self.gain
        if power is not None:
            self.gain = numpy.sqrt(power / 10 ** (self.snr_db / 10))
        return numpy.concatenate([numpy.linspace(before, self.gain, pause),
                                  numpy.full(length, self.gain)]).astype("float32")


def read_places(path):
    with open(path, encoding="utf-8", newline="") as file:
        return {row["path"]: Place(round(float(row["start_s"]) * RATE_HZ),
                                   round(float(row["end_s"]) * RATE_HZ), row["by"] == "energy")
                for row in csv.DictReader(file, delimiter="\t")}


def spread(rows):
    """[(kind, row)] with the rows of every kind spread evenly, in random order."""
    chance = random.Random(SEED)
    order = []
    for kind in KINDS:
        chance.shuffle(rows[kind])
        order += [((index + chance.random()) / len(rows[kind]), kind, row)
                  for index, row in enumerate(rows[kind])]
    return [(kind, row) for _, kind, row in sorted(order, key=lambda item: item[:2])]


def find_word(kind, row, samples, places):
    """Where the speech is, for the level of noise under it; None where there is none."""
    if kind == "noise":
        return None
    if row["path"] in places:
        return places[row["path"]]
    if kind == "speech":
        return Place(0, len(samples), True)
    return Place(*word_edges(samples), True)


def append_all(data, order, places, levels):
    """Writes the streams; returns their words and the seconds of each kind."""
    chance = random.Random(SEED)
    words, samples_of, at = [], dict.fromkeys(("all", *KINDS), 0), 0
    for kind, row in order:
        samples = read_audio(data / row["path"])
        place = find_word(kind, row, samples, places)
        power = None
        if place is not None:
            power = float((samples[place.first:place.last] ** 2).mean())
        pause = int(chance.uniform(*PAUSE_S) * RATE_HZ)
        for level in levels:
            level.append(pause, samples, power)
        at += pause
        if kind == "wakewords":
            first, last = place[:2] if place.sure else (0, len(samples))
            words.append(Word(row["word"].replace("_", " "), (at + first) / RATE_HZ,
                              (at + last) / RATE_HZ, place.sure))
        at += len(samples)
        samples_of[kind] += len(samples)
    samples_of["all"] = at
    return words, {kind: count / RATE_HZ for kind, count in samples_of.items()}


def make(data, alignment, folder):
    rows = {kind: read_rows(data / f"{kind}.tsv") for kind in KINDS}
    noises = [read_audio(data / row["path"]) for row in rows["noise"]]
    levels = [Level(folder / f"{name}.flac", snr_db, Noise(noises, SEED + index), SEED + index)
              for index, (name, snr_db) in enumerate(LEVELS.items())]
    words, seconds = append_all(data, spread(rows), read_places(alignment), levels)
    for level in levels:
        level.file.close()
    told = {"words": words, "seconds": seconds,
            "speakers": len({row["speaker"] for row in rows["speech"]})}
    (folder / "streams.json").write_text(json.dumps(told), encoding="utf-8")


def key_of(data, alignment):
    """Another one when what makes the streams changes."""
    code = [pathlib.Path(__file__), pathlib.Path(__file__).with_name("clips.py"), alignment]
    files = code + [data / f"{kind}.tsv" for kind in KINDS]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def load(data, alignment, folder):
    """The streams, made first where `folder` has not those of this data yet."""
    key = key_of(data, alignment)
    made = folder / f"streams-{key}"
    if not made.exists():
        for old in folder.glob("streams-*"):
            shutil.rmtree(old)
        draft = folder / "streams-draft"
        draft.mkdir(parents=True)
        make(data, alignment, draft)
        draft.rename(made)
    told = json.loads((made / "streams.json").read_text(encoding="utf-8"))
    return Streams({name: made / f"{name}.flac" for name in LEVELS},
                   [Word(*word) for word in told["words"]], told["seconds"], told["speakers"])
