"""The speakers of a language: every voice that is installed for it, at any rate and pitch, of any size."""
import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

from ..progress import Progress
from . import espeak, flite
from .speaker import Speaker

SPEAK = {espeak.PROGRAM: espeak.speak, flite.PROGRAM: flite.speak}
FLITE_SHARE = 0.5  # of what is said, in a language that flite has voices for
HELD_OUT = 0.15  # of espeak-ng's voices
LEAST_SAMPLES = 1600  # less is no word
FORMANTS = (-0.2, 0.3)  # logarithms: voices are of grown-ups, mostly men's, and children call, too


@dataclasses.dataclass(frozen=True)
class Cast:
    """Names of voices, as their programs take them."""
    espeak: list
    flite: list = ()

    def speakers(self, rng):
        """Endless; rng is a random.Random."""
        while True:
            recorded = self.flite and rng.random() < FLITE_SHARE
            program, voices = (flite.PROGRAM, self.flite) if recorded else (espeak.PROGRAM, self.espeak)
            yield Speaker(program, rng.choice(voices), rng.randint(110, 220), rng.randint(10, 90),
                          math.exp(rng.uniform(*FORMANTS)))

    def parts(self, texts, rng):
        """(text, who is to speak it) of each. flite leaves out letters that are not ASCII's, which makes another word."""
        anyone, unabridged = self.speakers(rng), Cast(self.espeak).speakers(rng)
        return [(text, next(anyone if text.isascii() else unabridged)) for text in texts]

    def of_voice(self, voice):
        """Those of espeak-ng that share one voice's phonemes, whatever their timbre; all, if there are none."""
        return Cast([name for name in self.espeak if name.split("+")[0] == voice] or self.espeak)


def casts(language, rng):
    """(to train with, to judge with): no voice is of both. flite's are too few to be parted, and train."""
    names = [voice + variant for voice in espeak.voices(language) for variant in espeak.variants()]
    rng.shuffle(names)
    held = max(round(len(names) * HELD_OUT), 1)
    return Cast(names[held:], flite.voices(language)), Cast(names[:held])


def speak(text, speaker):
    """int16 samples at 16 kHz without silence at the ends."""
    return SPEAK[speaker.program](text, speaker)


def speak_all(texts_and_speakers, jobs, title):
    """(text, samples) of each; a voice that says nothing is left out."""
    progress = Progress(title, len(texts_and_speakers))
    found = []
    with ThreadPoolExecutor(jobs) as threads:
        for (text, _), samples in zip(texts_and_speakers, threads.map(lambda one: speak(*one), texts_and_speakers)):
            progress.step("")
            if len(samples) > LEAST_SAMPLES:
                found.append((text, samples))
    progress.finish()
    if not found:
        raise SystemExit(f"no voice gives a sound: {title}")
    return found
