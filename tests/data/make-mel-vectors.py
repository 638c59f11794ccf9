#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes mel-vectors.safetensors: frames of sound with the features that dsp/mel.h defines for them, computed in double
precision by other code than the front end's. With --check compares them with the file instead (77: no numpy or scipy)."""
import json
import pathlib
import struct
import sys

try:
    import numpy as np
    import scipy.fft
    import scipy.signal
except ImportError as missing:
    print(missing)
    sys.exit(77)

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "train"))
from kwstrain.safetensors import save  # noqa: E402

PATH = HERE / "mel-vectors.safetensors"
RATE, FRAME, FFT, BANDS, LOW, HIGH = 16000, 400, 512, 64, 60.0, 7800.0
FLOOR, OFFSET, SCALE = 1e-6, 4.0, 0.25


def sounds():
    seconds = np.arange(FRAME) / RATE
    rng = np.random.default_rng(1)
    impulse = np.zeros(FRAME)
    impulse[150] = 1.0
    return np.stack([
        np.zeros(FRAME),
        0.5 * np.sin(2 * np.pi * 1000 * seconds),
        rng.normal(0, 0.1, FRAME),
        rng.normal(0, 1e-4, FRAME),  # near the floor
        0.8 * scipy.signal.chirp(seconds, 60, seconds[-1], 7800),
        np.where(seconds * 250 % 1 < 0.5, 1.0, -1.0),
        impulse,
    ]).astype(np.float32)


def mel_filters():
    """(bands, bins): triangles of height 1 between edges that are equidistant in HTK mel, linear in mel."""
    mel = lambda hz: 2595 * np.log10(1 + hz / 700)
    edges = np.linspace(mel(LOW), mel(HIGH), BANDS + 2)
    bins = mel(np.arange(FFT // 2 + 1) * RATE / FFT)
    return np.stack([np.interp(bins, edges[b : b + 3], [0, 1, 0], left=0, right=0) for b in range(BANDS)])


def features(samples):
    windowed = samples.astype(np.float64) * scipy.signal.get_window("hann", FRAME)
    power = np.abs(scipy.fft.rfft(windowed, FFT)) ** 2
    energy = power @ mel_filters().T
    return ((np.log(np.maximum(energy, FLOOR)) + OFFSET) * SCALE).astype(np.float32)


def describe():
    return (f"rate={RATE} frame={FRAME} hop=160 window=hann-periodic fft={FFT} power=2 mel=htk bands={BANDS} low={LOW} "
            f"high={HIGH} floor=1e-6 log=ln offset={OFFSET} scale={SCALE} frames=98")


def read_features():
    data = PATH.read_bytes()
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    first, last = json.loads(data[8:begin])["features"]["data_offsets"]
    return np.frombuffer(data[begin + first : begin + last], "<f4").reshape(-1, BANDS)


def main():
    samples = sounds()
    if sys.argv[1:] == ["--check"]:
        difference = np.abs(read_features() - features(samples)).max()
        print(f"largest difference {difference:.1e}")
        return 0 if difference < 1e-6 else 1
    save(PATH, {"samples": samples, "features": features(samples)}, {"features": describe()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
