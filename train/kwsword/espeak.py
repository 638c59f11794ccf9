"""espeak-ng as a cast of speakers: every voice of a language with every variant of timbre, any rate and pitch."""
import dataclasses
import math
import pathlib
import shutil
import subprocess

import numpy as np

from kwstrain.data import RATE

ESPEAK_RATE = 22050
HEADER = 44  # bytes of the WAV file that espeak-ng prints
EDGE_DB = 35  # an utterance begins and ends so far below its loudest 10 ms


@dataclasses.dataclass(frozen=True)
class Speaker:
    """`voice` as espeak-ng's -v takes it; `rate` in words a minute, `pitch` 0 to 99; `formants`: everything so many times
    higher, the throat that much shorter."""
    voice: str
    rate: int
    pitch: int
    formants: float


def _run(arguments, text=""):
    done = subprocess.run(["espeak-ng", *arguments], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit(f"espeak-ng {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def voices(language):
    """Names of the language's voices; those of MBROLA, which is not free, are left out."""
    if shutil.which("espeak-ng") is None:
        raise SystemExit("espeak-ng is missing: install it, or let ./dev deps do it")
    rows = [line.split() for line in _run([f"--voices={language}"]).decode().splitlines()[1:]]
    found = sorted({row[1] for row in rows if not row[4].startswith(("mb/", "!v/"))})
    if not found:
        raise SystemExit(f"espeak-ng has no voice of language '{language}'; espeak-ng --voices lists the languages")
    return found


def variants():
    """Suffixes of voice names, one for each timbre; the first is the voice as it is."""
    version = _run(["--version"]).decode()
    folder = pathlib.Path(version.split("Data at:")[-1].strip()) / "voices" / "!v"
    return [""] + sorted("+" + file.name for file in folder.glob("*"))


def base_voice(language):
    """The one voice of a language whose phonemes near misses are made of."""
    found = voices(language)
    return next((name for name in (language, "en-us") if name in found), found[0])


def _phonemes(line):
    return [[p for p in word.split("_") if p] for word in line.split()]


def phonemes(text, voice):
    """Words as lists of espeak-ng's phoneme names, stress marks before the vowels that carry them."""
    return _phonemes(_run(["-v", voice, "-q", "-x", "--sep=_", "--stdin", "-b", "1"], text).decode())


def phonemes_of_each(texts, voice):
    """phonemes() of many texts at once."""
    # a paragraph each: espeak-ng prints a line for it
    spoken = _run(["-v", voice, "-q", "-x", "--sep=_", "--stdin", "-b", "1"], "\n\n".join(texts) + "\n").decode()
    lines = [_phonemes(line) for line in spoken.splitlines() if line.strip()]
    return lines if len(lines) == len(texts) else [phonemes(text, voice) for text in texts]


def trim(samples):
    """Without the silence at both ends."""
    block = RATE // 100
    power = np.square(samples[: len(samples) // block * block].astype(np.float32)).reshape(-1, block).mean(axis=1)
    loud = np.flatnonzero(power > max(power.max(initial=0) * 10 ** (-EDGE_DB / 10), 1))
    return samples[loud[0] * block : (loud[-1] + 1) * block] if len(loud) else samples[:0]


def speak(text, speaker):
    """int16 samples at 16 kHz without silence at the ends."""
    # formants come from playing faster; the rate makes up for it
    rate = round(speaker.rate / speaker.formants)
    wav = _run(["-v", speaker.voice, "-s", str(rate), "-p", str(speaker.pitch), "--stdout", "--stdin", "-b", "1"], text)
    samples = np.frombuffer(wav[HEADER : len(wav) // 2 * 2], np.int16).astype(np.float32)
    step = ESPEAK_RATE / RATE * speaker.formants
    # espeak's voices end near 8 kHz: linear interpolation is good enough for training material
    at = np.arange(0, max(len(samples) - 1, 0), step)
    return trim(np.interp(at, np.arange(len(samples)), samples).astype(np.int16) if len(at) else samples.astype(np.int16))


def speakers(names, rng):
    """Endless, of the voices `names`; rng is a random.Random."""
    while True:
        yield Speaker(rng.choice(names), rng.randint(110, 220), rng.randint(10, 90), math.exp(rng.uniform(-0.14, 0.14)))


def cast(language, rng, held_out=0.15):
    """Voices with their variants, (to train with, to judge with): none is of both."""
    names = [voice + variant for voice in voices(language) for variant in variants()]
    rng.shuffle(names)
    held = max(round(len(names) * held_out), 1)
    return names[held:], names[:held]
