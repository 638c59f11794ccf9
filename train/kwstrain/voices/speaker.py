"""Who speaks, whatever the program that makes the voice, and how all such programs are run and heard."""
import dataclasses
import subprocess

import numpy as np

from ..data import RATE

HEADER = 44  # bytes of the WAV files that the programs write
EDGE_DB = 35  # an utterance begins and ends so far below its loudest 10 ms


@dataclasses.dataclass(frozen=True)
class Speaker:
    """`voice` as `program` takes it; `rate` in words a minute, `pitch` 0 to 99; `formants`: everything so many times
    higher, the throat that much shorter."""
    program: str
    voice: str
    rate: int
    pitch: int
    formants: float


def run(command, text=""):
    """What the command prints, with `text` on its standard input."""
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def trim(samples):
    """Without the silence at both ends."""
    block = RATE // 100
    power = np.square(samples[: len(samples) // block * block].astype(np.float32)).reshape(-1, block).mean(axis=1)
    loud = np.flatnonzero(power > max(power.max(initial=0) * 10 ** (-EDGE_DB / 10), 1))
    return samples[loud[0] * block : (loud[-1] + 1) * block] if len(loud) else samples[:0]


def of_wav(wav, rate, formants):
    """int16 samples at RATE of the bytes of a WAV file, played `formants` times faster, without silence at the ends."""
    samples = np.frombuffer(wav[HEADER : len(wav) // 2 * 2], np.int16).astype(np.float32)
    # these voices end near 8 kHz: linear interpolation is good enough for training material
    at = np.arange(0, max(len(samples) - 1, 0), rate / RATE * formants)
    return trim(np.interp(at, np.arange(len(samples)), samples).astype(np.int16) if len(at) else samples.astype(np.int16))
