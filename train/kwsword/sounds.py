"""Sounds that are no speech, `length` samples of them; and folders of the user's recordings."""
import pathlib

import numpy as np
import soundfile

from kwstrain import augment
from kwstrain.data import RATE, Clips
from kwstrain.folder import SUFFIXES
from kwstrain.sampler import pick


def coloured(rng, slope, length):
    """Noise whose power falls by 3 dB an octave times `slope`."""
    bins = length // 2 + 1
    spectrum = rng.standard_normal(bins) + 1j * rng.standard_normal(bins)
    spectrum *= np.maximum(np.arange(bins), 20) ** (-slope / 2)
    return np.fft.irfft(spectrum, length)


def hum(rng, length):
    """Of the mains, a motor or a tune: harmonics of one tone, which may glide."""
    tone = rng.choice((50, 60, 100, 120, rng.uniform(80, 900)))
    time = np.arange(length) / RATE
    phase = 2 * np.pi * tone * (time + rng.uniform(-0.1, 0.1) * time**2)
    harmonics = range(1, int(rng.integers(2, 12)))
    return sum(np.sin(k * phase + rng.uniform(0, 6.3)) * rng.uniform(0, 1) / k for k in harmonics)


def clicks(rng, length):
    """Keys, dishes, steps: short bursts that ring."""
    out = np.zeros(length)
    for _ in range(int(rng.integers(1, 12))):
        time = np.arange(int(rng.integers(80, 3000)))
        ring = np.exp(-6 * time / len(time)) * (
            rng.standard_normal(len(time)) + 3 * np.sin(2 * np.pi * rng.uniform(200, 5000) * time / RATE))
        at = int(rng.integers(0, length - len(time)))
        out[at : at + len(time)] += ring * rng.uniform(0.1, 1)
    return out


def gusts(rng, length):
    """Wind, water, rubbing: noise that swells and sinks."""
    steps = np.interp(np.linspace(0, 9, length), np.arange(10), rng.uniform(0, 1, 10) ** 2)
    return coloured(rng, rng.uniform(0, 2), length) * steps


def generated(rng, length):
    """One of them, float32, at an rms of 0.1."""
    kind = rng.random()
    if kind < 0.45:
        out = coloured(rng, rng.uniform(0, 2), length)
    else:
        out = (hum if kind < 0.6 else clicks if kind < 0.8 else gusts)(rng, length)
    return (0.1 * out / np.sqrt(np.mean(out**2) + 1e-12)).astype(np.float32)


def babble(speech, rng, length):
    """Several voices at once."""
    return sum(augment.crop(pick(speech, rng), rng, length) for _ in range(int(rng.integers(3, 7))))


def recordings_in(folder):
    """Paths of all recordings below a folder, sorted."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise SystemExit(f"{folder}: no such folder")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(f"{folder}: no recordings in it ({', '.join(sorted(SUFFIXES))})")
    return found


def decoded(name, paths, cache, hours, rng):
    """Some of the recordings, as many as make so many hours, as Clips."""
    paths, chosen, seconds = list(paths), [], 0.0
    rng.shuffle(paths)
    for path in paths:
        if seconds >= hours * 3600:
            break
        try:
            seconds += soundfile.info(path).duration
        except RuntimeError as error:
            raise SystemExit(f"{path}: not a recording: {error}")
        chosen.append(path)
    return Clips(name, chosen, cache)
