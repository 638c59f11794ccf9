"""What training does to a clip: place, speed, room, noise, gain; then small masks in the spectrum."""
import numpy as np

SECOND = 16000
BLOCK = 160  # samples, 10 ms


def cut(samples, shift=0):
    """Exactly one second around the middle, `shift` samples later; zero-padded or cut."""
    start = (len(samples) - SECOND) // 2 + shift
    out = np.zeros(SECOND, np.float32)
    low, high = max(start, 0), min(start + SECOND, len(samples))
    if high > low:
        out[low - start : high - start] = samples[low:high]
    return out


def from_16_bit(samples):
    """A recording's int16 as float in -1..1."""
    return samples.astype(np.float32) / 32768


def crop(samples, rng, length=SECOND):
    """A random piece of a longer int16 recording, float in -1..1; a shorter one is repeated."""
    if len(samples) < length:
        samples = np.tile(samples, length // max(len(samples), 1) + 1)
    start = int(rng.integers(0, len(samples) - length + 1))
    return from_16_bit(samples[start : start + length])


def quieter_moments(samples):
    """Blocks that are quieter than both their neighbours."""
    power = np.convolve(np.square(samples[: len(samples) // BLOCK * BLOCK]).reshape(-1, BLOCK).mean(axis=1), np.ones(3) / 3, "same")
    return np.flatnonzero((power[1:-1] <= power[:-2]) & (power[1:-1] <= power[2:])) + 1


def fade(samples, length):
    """In from nothing, and out to it."""
    ramp = np.minimum(np.arange(len(samples)) / length, 1)
    return samples * (ramp * ramp[::-1]).astype(np.float32)


def respeed(samples, rng, limit=0.12):
    factor = 1 + rng.uniform(-limit, limit)
    return np.interp(np.arange(0, len(samples) - 1, factor), np.arange(len(samples)), samples).astype(np.float32)


def room(samples, rng):
    """A simulated room: direct sound and an exponentially decaying noise tail (RT60 0.1 to 0.6 s)."""
    length = 6000
    decay = np.exp(-6.9 * np.arange(length) / (rng.uniform(0.1, 0.6) * SECOND))
    tail = rng.standard_normal(length).astype(np.float32) * decay
    tail[: int(rng.integers(20, 200))] = 0
    tail *= 10 ** (rng.uniform(-15, 0) / 20) / np.sqrt((tail**2).sum() + 1e-9)
    tail[0] = 1
    size = 24000
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)[: len(samples)].astype(np.float32)


def colour(samples, rng):
    """Another spectrum: a smooth random gain, within 10 dB or so, between 0 and 8 kHz."""
    spectrum = np.fft.rfft(samples)
    gains_db = np.interp(np.linspace(0, 7, len(spectrum)), np.arange(8), rng.normal(0, 6, 8))
    return np.fft.irfft(spectrum * 10 ** (gains_db / 20), len(samples)).astype(np.float32)


def power(samples):
    return float(np.mean(samples**2)) + 1e-10


def mix(samples, noise, snr_db):
    scale = np.sqrt(power(samples) / power(noise) * 10 ** (-snr_db / 10))
    return samples + noise * min(scale, 30.0)


def level(samples, rng):
    """A random loudness (the peak between -36 and 0 dBFS), as microphones and distances differ."""
    peak = np.abs(samples).max() + 1e-6
    gain = min(10 ** (rng.uniform(-36, 0) / 20) / peak, 50.0)
    return samples * gain


def to_16_bit(samples):
    """The daemon hears 16-bit samples: keep their rounding and clipping."""
    return np.clip(np.round(samples * 32768), -32768, 32767) / 32768


def mask(features, rng):
    """Light, in place: a microphone's tilt, and sometimes a hidden band or moment."""
    tilt = np.linspace(-1, 1, features.shape[1], dtype=np.float32)
    features += tilt * np.float32(rng.normal(0, 0.15)) + np.float32(rng.normal(0, 0.05))
    if rng.random() < 0.3:
        width = int(rng.integers(1, 8))
        start = int(rng.integers(0, features.shape[1] - width))
        features[:, start : start + width] = features.mean()
    if rng.random() < 0.2:
        width = int(rng.integers(1, 13))
        start = int(rng.integers(0, features.shape[0] - width))
        features[start : start + width] = features.min()
