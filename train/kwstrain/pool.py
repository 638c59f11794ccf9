"""Training examples and validation clips as features in files: made once for networks that take turns, or for a machine
without the recordings and the C front end, such as one with a GPU that is lent for minutes. A feature takes one byte; half a
step of it is 0.24 dB.

A folder has NAME-NUMBER.features.npy (n, 98, 64) and NAME-NUMBER.labels.npy (n,), NAME being `train` or `val`, and
pool.json with the names of the labels and the words of the validation clips, in their order.
"""
import json

import numpy as np
import torch

from . import augment
from .features import BANDS, FRAMES

LOW, HIGH = -3.0, 4.0
STEP = (HIGH - LOW) / 255
SHIFT_FRAMES = 4


def quantise(features):
    return np.clip(np.rint((features - LOW) / STEP), 0, 255).astype(np.uint8)


def restore(stored):
    return stored.astype(np.float32) * np.float32(STEP) + np.float32(LOW)


def begin(folder):
    """Makes a folder for a pool. The files of two pools would be read as one."""
    if (folder / "pool.json").exists() or any(folder.glob("*.features.npy")):
        raise SystemExit(f"{folder} holds a pool already: remove it, or give another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"{folder}: {error.strerror}")


def write(folder, name, number, features, labels):
    np.save(folder / f"{name}-{number:03}.features.npy", quantise(features))
    np.save(folder / f"{name}-{number:03}.labels.npy", np.asarray(labels, np.uint8))


def write_index(folder, labels, words):
    (folder / "pool.json").write_text(json.dumps({"labels": labels, "words": words}))


def read_index(folder):
    try:
        return json.loads((folder / "pool.json").read_text())
    except (OSError, ValueError) as error:
        raise SystemExit(f"{folder}: not a pool of make_pool.py: {error}")


def read(folder, name):
    """(features as stored, labels) of all files of this name. The features stay in the files, which processes share."""
    features, labels = (sorted(folder.glob(f"{name}-*.{kind}.npy")) for kind in ("features", "labels"))
    if not features or len(features) != len(labels):
        raise SystemExit(f"{folder}: not all {name}-* files of make_pool.py")
    labels = np.concatenate([np.load(path) for path in labels])
    return Features([np.load(path, mmap_mode="r") for path in features]), labels.astype(np.int64)


class Features:
    """Those of several files in a row."""

    def __init__(self, files):
        self.files = files
        self.ends = np.cumsum([len(file) for file in files])

    def __getitem__(self, i):
        number = int(np.searchsorted(self.ends, i, side="right"))
        return self.files[number][i - self.ends[number]]

    def all(self):
        return np.concatenate(self.files)


class PoolExamples(torch.utils.data.IterableDataset):
    """Yields `count` batches (features (N, 1, 98, 64), labels (N,)) an epoch, shared out among the workers: examples in an
    order of their own each epoch, some frames earlier or later, and masked anew."""

    def __init__(self, folder, batch, count, seed):
        self.features, self.labels = read(folder, "train")
        self.batch, self.count, self.seed, self.epoch = batch, count, seed, 0

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        index, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        order = self._order(self.batch * self.count)
        rng = np.random.default_rng((self.seed, self.epoch, index))
        for number in range(index, self.count, workers):
            chosen = order[number * self.batch : (number + 1) * self.batch]
            features = np.stack([self._vary(restore(self.features[i]), rng) for i in chosen])
            yield torch.from_numpy(features)[:, None], torch.from_numpy(self.labels[chosen])

    def _order(self, length):
        """The same for all workers; the pool goes round as often as an epoch needs it."""
        rng = np.random.default_rng((self.seed, self.epoch))
        rounds = -(-length // len(self.labels))
        return np.concatenate([rng.permutation(len(self.labels)) for _ in range(rounds)])[:length]

    @staticmethod
    def _vary(features, rng):
        """The first or last frame stands for those that a shift uncovers."""
        shift = int(rng.integers(-SHIFT_FRAMES, SHIFT_FRAMES + 1))
        features = features[np.clip(np.arange(FRAMES) + shift, 0, FRAMES - 1)].reshape(FRAMES, BANDS)
        augment.mask(features, rng)
        return features
