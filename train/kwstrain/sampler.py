"""An endless stream of augmented training examples, classes balanced."""
import numpy as np
import torch

from . import augment, synth
from .data import KEYWORDS, SILENCE, UNKNOWN, Corpus
from .features import BANDS, FRAMES, FrontEnd

SYNTHETIC_SHARE = 0.07  # of each keyword's examples
SHARES = [0.07] * len(KEYWORDS) + [0.37, 0.07]  # by label
UNKNOWN_SHARES = {"commands": 0.30, "otherwords": 0.13, "speech": 0.20, "snippet": 0.15, "synth": 0.15, "near": 0.04,
                  "fragment": 0.03}
SNIPPET_BLOCKS = (18, 70)  # of 10 ms: as long as a word may be
LEAST_BLOCKS = 12
FADE = 240  # samples


class Examples(torch.utils.data.IterableDataset):
    """Yields batches (features (N, 1, 98, 64), labels (N,)); `count` batches an epoch, shared out among the workers.

    `shares`: how often each label comes. Subclasses make the examples.
    """

    def __init__(self, shares, batch, count, seed):
        self.shares, self.batch, self.count, self.seed, self.epoch = shares, batch, count, seed, 0
        self.masked = True  # a pool's examples get their masks when they are used

    def example(self, label, rng):
        """One second of audio for the label, float in -1..1."""
        raise NotImplementedError

    def noise(self, rng):
        """One second of noise alone."""
        raise NotImplementedError

    def silence(self, rng):
        """One second in which nobody speaks."""
        if rng.random() < 0.1:
            return augment.to_16_bit(rng.standard_normal(augment.SECOND).astype(np.float32) * 10 ** rng.uniform(-6, -3.5))
        samples = self.noise(rng)
        if rng.random() < 0.5:
            samples = augment.mix(samples, self.noise(rng), rng.uniform(-5, 20))
        return augment.to_16_bit(augment.level(samples, rng))

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        index, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        rng = np.random.default_rng((self.seed, self.epoch, index))
        front_end = FrontEnd()
        for _ in range(index, self.count, workers):
            labels = rng.choice(len(self.shares), self.batch, p=self.shares)
            features = np.empty((self.batch, 1, FRAMES, BANDS), np.float32)
            for i, label in enumerate(labels):
                front_end.clip(self.example(label, rng), features[i, 0])
                if self.masked:
                    augment.mask(features[i, 0], rng)
            yield torch.from_numpy(features), torch.from_numpy(labels)


class CommandExamples(Examples):
    """Keywords, `_unknown_` and `_silence_` from the lists of a data folder."""

    def __init__(self, root, cache, batch, count, seed):
        super().__init__(SHARES, batch, count, seed)
        self.corpus = Corpus(root, "train", cache)
        words = np.array(self.corpus.command_words)
        self.keyword_clips = [np.flatnonzero(words == word) for word in KEYWORDS]
        others = sorted(set(words) - set(KEYWORDS))
        self.other_clips = [np.flatnonzero(words == word) for word in others]
        counts = np.array([len(clips) for clips in self.other_clips], float)
        self.other_weights = np.sqrt(counts) / np.sqrt(counts).sum()  # rare words are seen more often
        spoken = synth.synthesise(cache)
        self.spoken = {word: [s for w, s in spoken if w == word] for word in KEYWORDS}
        self.spoken_others = [s for w, s in spoken if w not in KEYWORDS]
        self.near = synth.synthesise_near(cache)

    def example(self, label, rng):
        if label == SILENCE:
            return self.silence(rng)
        samples = self.unknown(rng) if label == UNKNOWN else self.keyword(label, rng)
        if rng.random() < 0.3:
            samples = augment.room(samples, rng)
        if rng.random() < 0.15:
            samples = augment.colour(samples, rng)
        samples = augment.level(samples, rng)
        if rng.random() < 0.65:
            samples = augment.mix(samples, self.background(rng), rng.uniform(2, 25))
        return augment.to_16_bit(samples)

    def word(self, samples, rng, jitter=1600):
        samples = augment.from_16_bit(samples)
        if rng.random() < 0.5:
            samples = augment.respeed(samples, rng)
        return augment.cut(samples, int(rng.integers(-jitter, jitter + 1)))

    def keyword(self, label, rng):
        if rng.random() < SYNTHETIC_SHARE:
            return self.alone(pick(self.spoken[KEYWORDS[label]], rng), rng)
        return self.word(self.corpus.commands[rng.choice(self.keyword_clips[label])], rng)

    def unknown(self, rng):
        source = rng.choice(list(UNKNOWN_SHARES), p=list(UNKNOWN_SHARES.values()))
        if source == "commands":
            word = rng.choice(len(self.other_clips), p=self.other_weights)
            return self.word(self.corpus.commands[rng.choice(self.other_clips[word])], rng)
        if source == "otherwords":
            return self.word(pick(self.corpus.otherwords, rng), rng)
        if source == "speech":
            return augment.crop(pick(self.corpus.speech, rng), rng)
        if source in ("synth", "near"):
            return self.alone(pick(self.near if source == "near" else self.spoken_others, rng), rng)
        return self.snippet(rng) if source == "snippet" else self.fragment(rng)

    def alone(self, samples, rng):
        """What has nothing around it, as no recording is: noise, however faint, must not tell the two apart."""
        return augment.mix(self.word(samples, rng, 2500), self.noise(rng), rng.uniform(12, 45))

    def snippet(self, rng):
        """As long as a word and alone like one, but cut from read speech where it is quieter: what people say that is none."""
        while True:
            samples = augment.crop(pick(self.corpus.speech, rng), rng, 3 * augment.SECOND // 2)
            lows = augment.quieter_moments(samples)
            start = int(rng.choice(lows[lows < lows[0] + SNIPPET_BLOCKS[1]])) if len(lows) else 0
            wanted = start + rng.uniform(*SNIPPET_BLOCKS)
            end = int(lows[np.abs(lows - wanted).argmin()]) if len(lows) else 0
            if end - start >= LEAST_BLOCKS:
                piece = augment.fade(samples[augment.BLOCK * start : augment.BLOCK * end], FADE)
                return self.alone((piece * 32767).astype(np.int16), rng)

    def fragment(self, rng):
        """The edge of a keyword that enters or leaves the window is not yet, or no more, that keyword."""
        clips = pick(self.keyword_clips, rng)
        samples = augment.from_16_bit(self.corpus.commands[rng.choice(clips)])
        shift = int(rng.integers(8500, 11000)) * (1 if rng.random() < 0.5 else -1)
        return augment.cut(samples, shift)

    def background(self, rng):
        if rng.random() < 0.2:
            return augment.crop(pick(self.corpus.speech, rng), rng) * 0.5
        return self.noise(rng)

    def noise(self, rng):
        if rng.random() < 0.15:
            return augment.room(rng.standard_normal(augment.SECOND).astype(np.float32) * 0.1, rng)
        return augment.crop(pick(self.corpus.noise, rng), rng)


def pick(items, rng):
    """One of the clips."""
    return items[rng.integers(len(items))]
