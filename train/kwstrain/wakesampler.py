"""Training examples of the wake words: windows that end just after the word, and all that must not be taken for it."""
import pathlib

import numpy as np

from . import augment, synth
from .data import RATE, WAKE_WORDS, Clips, Corpus, read_list
from .nearmisses import NEAR_MISSES
from .sampler import Examples, pick
from .wakewords import read_alignment

LABELS = WAKE_WORDS + ["_unknown_", "_silence_"]
UNKNOWN, SILENCE = LABELS.index("_unknown_"), LABELS.index("_silence_")
SHARES = [0.06] * len(WAKE_WORDS) + [0.57, 0.07]  # by label
UNKNOWN_SHARES = {"speech": 0.34, "mined": 0.22, "commands": 0.10, "otherwords": 0.08, "near": 0.10, "synth": 0.04,
                  "part": 0.07, "past": 0.03, "spliced": 0.02}
SYNTHETIC_SHARE = 0.05    # of each wake word's examples
EARLIEST_S, LATEST_S = -0.02, 0.27  # the window's end after the word's
PAST_S = (0.45, 0.8)      # the word is no longer meant


class WakeExamples(Examples):
    """`mined`: int16 array (count, samples) of negatives that an earlier network took for a wake word, or None."""

    def __init__(self, root, cache, batch, count, seed, mined=None):
        super().__init__(SHARES, batch, count, seed)
        root = pathlib.Path(root)
        self.corpus = Corpus(root, "train", cache)
        rows = [row for row in read_list(root / "wakewords.tsv") if row["split"] == "train"]
        self.clips = Clips("train-wakewords", [root / row["path"] for row in rows], cache)
        alignment = read_alignment()
        self.spans = [tuple(int(second * RATE) for second in alignment[row["path"]][:2]) for row in rows]
        sure = [alignment[row["path"]][2] != "unsure" for row in rows]
        self.by_word = [np.array([i for i, row in enumerate(rows) if row["word"] == word and sure[i]]) for word in WAKE_WORDS]
        near = [text for texts in NEAR_MISSES.values() for text in texts]
        spoken = synth.synthesise_texts(cache, [word.replace("_", " ") for word in WAKE_WORDS], 100, seed=2)
        self.spoken = [[s for text, s in spoken if text == word.replace("_", " ")] for word in WAKE_WORDS]
        self.near = [s for _, s in synth.synthesise_texts(cache, near, 14, seed=3)]
        self.spoken_others = [s for _, s in synth.synthesise(cache)]
        self.mined = mined
        self.shares_unknown = dict(UNKNOWN_SHARES)
        if mined is None:
            self.shares_unknown["speech"] += self.shares_unknown.pop("mined")

    def example(self, label, rng):
        if label == SILENCE:
            return self.silence(rng)
        samples = self.unknown(rng) if label == UNKNOWN else self.word(label, rng)
        if rng.random() < 0.4:
            samples = augment.room(samples, rng)
        samples = augment.level(samples, rng)
        if rng.random() < 0.8:
            samples = augment.mix(samples, self.background(rng), rng.uniform(-6, 20))
        return augment.to_16_bit(samples)

    def word(self, label, rng):
        return self.window(label, rng, rng.uniform(EARLIEST_S, LATEST_S))

    def window(self, label, rng, after_s):
        """One second that ends `after_s` after the end of the word."""
        if rng.random() < SYNTHETIC_SHARE:
            samples = augment.from_16_bit(pick(self.spoken[label], rng))
            return _second(samples, 0, len(samples), after_s, rng)
        i = pick(self.by_word[label], rng)
        start, end = self.spans[i]
        return _second(augment.from_16_bit(self.clips[i]), start, end, after_s, rng, self.surroundings(rng))

    def surroundings(self, rng):
        """What is said before and after the word, instead of what the recording has there; None: that."""
        if rng.random() < 0.65:
            return None
        return augment.crop(pick(self.corpus.speech, rng), rng), augment.crop(pick(self.corpus.speech, rng), rng)

    def unknown(self, rng):
        source = rng.choice(list(self.shares_unknown), p=list(self.shares_unknown.values()))
        if source == "speech":
            return _respeed(augment.crop(pick(self.corpus.speech, rng), rng), rng)
        if source == "mined":
            return _shift(augment.from_16_bit(pick(self.mined, rng)), rng)
        if source in ("commands", "otherwords"):
            samples = augment.from_16_bit(pick(getattr(self.corpus, source), rng))
            return _respeed(augment.cut(samples, int(rng.integers(-4000, 4000))), rng)
        if source in ("near", "synth"):
            samples = augment.from_16_bit(pick(self.near if source == "near" else self.spoken_others, rng))
            return augment.cut(_respeed(samples, rng), int(rng.integers(-3000, 3000)))
        return self.fragment(source, rng)

    def fragment(self, kind, rng):
        """A wake word that has only begun or is long over is not, or no more, that word; nor are halves of two."""
        label = int(rng.integers(len(WAKE_WORDS)))
        if kind == "past":
            return self.window(label, rng, rng.uniform(*PAST_S))
        i = pick(self.by_word[label], rng)
        start, end = self.spans[i]
        samples = augment.from_16_bit(self.clips[i])
        middle = start + int((end - start) * rng.uniform(0.3, 0.6))
        if kind == "part":
            return _second(samples, start, middle, rng.uniform(-0.05, 0.05), rng)
        other = int(rng.choice([x for x in range(len(WAKE_WORDS)) if x != label]))
        j = pick(self.by_word[other], rng)
        other_start, other_end = self.spans[j]
        tail = augment.from_16_bit(self.clips[j])[other_start + (other_end - other_start) // 2 : other_end]
        joined = np.concatenate([samples[start:middle], tail])
        return _second(joined, 0, len(joined), rng.uniform(EARLIEST_S, LATEST_S), rng)

    def background(self, rng):
        if rng.random() < 0.12:
            return sum(augment.crop(pick(self.corpus.speech, rng), rng) for _ in range(int(rng.integers(1, 5))))
        noise = self.noise(rng)
        return augment.mix(noise, self.noise(rng), rng.uniform(-10, 10)) if rng.random() < 0.3 else noise

    def noise(self, rng):
        if rng.random() < 0.15:
            return augment.room(rng.standard_normal(augment.SECOND).astype(np.float32) * 0.1, rng)
        noise = augment.crop(pick(self.corpus.noise, rng), rng)
        return augment.colour(noise, rng) if rng.random() < 0.5 else noise


def _respeed(samples, rng):
    return augment.cut(augment.respeed(samples, rng, 0.15)) if rng.random() < 0.5 else samples


def _shift(samples, rng):
    """One second of a longer one, around its middle."""
    room = len(samples) - augment.SECOND
    start = room // 2 + int(rng.integers(-room // 2, room // 2 + 1))
    return samples[start : start + augment.SECOND]


def _second(samples, start, end, after_s, rng, surroundings=None):
    """One second that ends `after_s` after `end`, at a random speed. `surroundings`: (second before, second after)
    that take the place of what is around start..end."""
    factor = 1 + rng.uniform(-0.12, 0.12) if rng.random() < 0.6 else 1.0
    stop = end + int(after_s * RATE * factor)
    first = stop - int(augment.SECOND * factor) - 1
    out = np.zeros(stop - first, np.float32)
    low, high = max(first, 0), min(stop, len(samples))
    out[low - first : high - first] = samples[low:high]
    if surroundings is not None:
        _surround(out, start - first, end - first, *surroundings, rng.uniform(0.3, 1.5))
    times = np.linspace(0, len(out) - 1, augment.SECOND)
    return np.interp(times, np.arange(len(out)), out).astype(np.float32)


def _surround(out, start, end, before, after, scale):
    """In place; the word keeps 30 ms on either side."""
    margin = RATE * 3 // 100
    peak = np.abs(out).max() + 1e-6
    head, tail = max(start - margin, 0), min(end + margin, len(out))
    for at, stop, other in ((0, head, before), (tail, len(out), after)):
        if stop > at:
            piece = other[-(stop - at):] if at == 0 else other[: stop - at]
            out[at : at + len(piece)] = piece * (scale * peak / (np.abs(other).max() + 1e-6))
