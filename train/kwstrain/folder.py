"""Any folder of class/*.wav, flac or opus as training data: Speech Commands, MSWC's clips, one's own recordings."""
import hashlib
import pathlib

import numpy as np

from . import augment
from .data import Clips
from .sampler import Examples
from .validation import clip_validation

SUFFIXES = {".wav", ".flac", ".opus", ".ogg"}
VALIDATION_PERCENT = 10
MOST_CLASSES = 256  # KWS_CLASSES_MAX of the engine, and what a byte tells apart in a pool


def _speaker(path):
    """Speech Commands writes SPEAKER_nohash_N; other names stand for themselves."""
    return path.stem.split("_nohash_")[0]


def is_validation(path):
    """One part in ten, by the name, so that the split is the same in every run and no speaker is on both sides."""
    digest = hashlib.sha256(_speaker(path).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < VALIDATION_PERCENT


def classes(root):
    """Names of the folders that hold recordings, sorted. Speech Commands' `_background_noise_` is none of its classes."""
    root = pathlib.Path(root)
    if not root.is_dir():
        raise SystemExit(f"{root}: no such folder")
    names = sorted(d.name for d in root.iterdir() if d.is_dir() and not d.name.startswith((".", "_background"))
                   and any(f.suffix.lower() in SUFFIXES for f in d.iterdir()))
    if len(names) < 2:
        raise SystemExit(f"{root}: fewer than two folders with recordings ({', '.join(sorted(SUFFIXES))})")
    if len(names) > MOST_CLASSES:
        raise SystemExit(f"{root}: {len(names)} folders with recordings, but a model has {MOST_CLASSES} classes at most")
    return names


def listed(root, validation):
    """(path, label, class) of one side of the split."""
    found = [(path, label, name) for label, name in enumerate(classes(root))
             for path in sorted((pathlib.Path(root) / name).iterdir())
             if path.suffix.lower() in SUFFIXES and is_validation(path) == validation]
    missing = set(classes(root)) - {name for _, _, name in found}
    if missing:
        raise SystemExit(f"{root}: too few recordings of {', '.join(sorted(missing))} to keep some apart for validation")
    return found


class FolderExamples(Examples):
    """Classes alike in number; a random second of each recording, other speed, room and loudness, some noise."""

    def __init__(self, root, cache, batch, count, seed):
        found = listed(root, validation=False)
        labels = np.array([label for _, label, _ in found])
        self.by_label = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
        self.clips = Clips("train-folder", [path for path, _, _ in found], cache)
        super().__init__([1 / len(self.by_label)] * len(self.by_label), batch, count, seed)

    def example(self, label, rng):
        samples = augment.from_16_bit(self.clips[rng.choice(self.by_label[label])])
        if rng.random() < 0.5:
            samples = augment.respeed(samples, rng)
        room = max(len(samples) - augment.SECOND, 0) // 2 + 1600
        samples = augment.cut(samples, int(rng.integers(-room, room + 1)))
        if rng.random() < 0.3:
            samples = augment.room(samples, rng)
        samples = augment.level(samples, rng)
        if rng.random() < 0.5:
            noise = rng.standard_normal(augment.SECOND).astype(np.float32)
            samples = augment.mix(samples, noise, rng.uniform(5, 30))
        return augment.to_16_bit(samples)


def folder_validation(root, cache):
    return clip_validation(listed(root, validation=True), classes(root), cache, augment.cut)
