"""espeak-ng: the voices of a language with all variants of timbre, and the phonemes of a text."""
import pathlib
import shutil

from .speaker import of_wav, run

PROGRAM = "espeak-ng"
RATE = 22050


def voices(language):
    """Names of the language's voices; those of MBROLA, which is not free, are left out."""
    if shutil.which(PROGRAM) is None:
        raise SystemExit("espeak-ng is missing: install it, or let ./dev deps do it")
    rows = [line.split() for line in run([PROGRAM, f"--voices={language}"]).decode().splitlines()[1:]]
    found = sorted({row[1] for row in rows if not row[4].startswith(("mb/", "!v/"))})
    if not found:
        raise SystemExit(f"espeak-ng has no voice of language '{language}'; espeak-ng --voices lists the languages")
    return found


def variants():
    """Suffixes of voice names, one for each timbre; the first is the voice as it is."""
    version = run([PROGRAM, "--version"]).decode()
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
    return _phonemes(run([PROGRAM, "-v", voice, "-q", "-x", "--sep=_", "--stdin", "-b", "1"], text).decode())


def phonemes_of_each(texts, voice):
    """phonemes() of many texts at once."""
    # a paragraph each: espeak-ng prints a line for it
    spoken = run([PROGRAM, "-v", voice, "-q", "-x", "--sep=_", "--stdin", "-b", "1"], "\n\n".join(texts) + "\n").decode()
    lines = [_phonemes(line) for line in spoken.splitlines() if line.strip()]
    return lines if len(lines) == len(texts) else [phonemes(text, voice) for text in texts]


def speak(text, speaker):
    """int16 samples at 16 kHz without silence at the ends."""
    # formants come from playing faster; the rate makes up for it
    rate = round(speaker.rate / speaker.formants)
    wav = run([PROGRAM, "-v", speaker.voice, "-s", str(rate), "-p", str(speaker.pitch), "--stdout", "--stdin", "-b", "1"], text)
    return of_wav(wav, RATE, speaker.formants)
