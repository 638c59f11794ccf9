"""Lists of recordings, decoded once into one int16 array on disk that all processes map."""
import csv
import hashlib
import os
import pathlib
import re

import numpy as np

RATE = 16000
KEYWORDS = ["yes", "no", "up", "down", "left", "right", "go", "stop"]
LABELS = KEYWORDS + ["_unknown_", "_silence_"]
WAKE_WORDS = ["alexa", "computer", "jarvis", "smart_mirror", "snowboy", "view_glass"]
UNKNOWN, SILENCE = LABELS.index("_unknown_"), LABELS.index("_silence_")
# Words kept out of training altogether, as the wake words are, to measure `_unknown_` on words never trained.
HELD_OUT = {"nine", "seven", "marvin", "house", "bird"}


def read_list(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def rows(root):
    """(path, label, word) of every clip that a command model is judged on: the val rows of commands.tsv, and val noise
    as `_silence_`."""
    root = pathlib.Path(root)
    found = [(root / r["path"], LABELS.index(r["word"]) if r["word"] in KEYWORDS else UNKNOWN, r["word"])
             for r in read_list(root / "commands.tsv") if r["split"] == "val"]
    return found + [(root / r["path"], SILENCE, "_silence_") for r in read_list(root / "noise.tsv") if r["split"] == "val"]


def decode(path):
    """int16 samples at RATE, of several channels the mean, as the daemon hears them."""
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except RuntimeError as error:
        raise SystemExit(f"{path}: not a recording: {error}")
    if len(samples) == 0:
        raise SystemExit(f"{path}: holds no audio")
    samples = samples.mean(axis=1)
    if rate != RATE:
        from scipy.signal import resample_poly

        samples = resample_poly(samples, RATE, rate)
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def _state(path):
    """What tells a recording from another of its name, before or in another folder."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}")
    return f"{os.path.realpath(path)}\t{status.st_size}\t{status.st_mtime_ns}"


class Clips:
    """Decoded recordings: `audio[i]` is an int16 array. Decoding a list takes minutes, so it is cached, for as long as the
    files stay as they are."""

    def __init__(self, name, paths, cache):
        cache = pathlib.Path(cache)
        cache.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256("\n".join(map(_state, paths)).encode(errors="surrogateescape")).hexdigest()[:12]
        store = cache / f"{name}-{digest}.i16"
        index = cache / f"{name}-{digest}.npy"
        if not index.exists():
            ends = [0]
            with open(store, "wb") as file:
                for path in paths:
                    samples = decode(path)
                    samples.tofile(file)
                    ends.append(ends[-1] + len(samples))
            np.save(index, np.array(ends, np.int64))
        self.ends = np.load(index)
        self.samples = np.memmap(store, np.int16, "r")

    def __len__(self):
        return len(self.ends) - 1

    def __getitem__(self, i):
        return self.samples[self.ends[i] : self.ends[i + 1]]


# Recordings of Speech Commands' words that the list of noise has among its own, words kept out of training, too.
SPOKEN_NOISE = re.compile(r"^[0-9a-f]{8}_nohash_[0-9]+$")


class Corpus:
    """The four lists of one split: `words` with labels, and speech and noise to cut and to mix."""

    def __init__(self, root, split, cache):
        root = pathlib.Path(root)
        rows = {name: [r for r in read_list(root / f"{name}.tsv") if r["split"] == split]
                for name in ("commands", "otherwords", "speech", "noise")}
        rows["commands"] = [r for r in rows["commands"] if r["word"] not in HELD_OUT]
        rows["noise"] = [r for r in rows["noise"] if not SPOKEN_NOISE.search(r["kind"])]
        clips = {name: Clips(f"{split}-{name}", [root / r["path"] for r in list_rows], cache)
                 for name, list_rows in rows.items()}
        self.commands, self.otherwords, self.speech, self.noise = (clips[name] for name in rows)
        self.command_words = [r["word"] for r in rows["commands"]]
