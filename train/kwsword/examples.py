"""Augmented windows of the phrase, of what is near it, of speech and of noise, as what the frozen part makes of them."""
import dataclasses

import numpy as np
import torch

from kwstrain import augment
from kwstrain.data import RATE
from kwstrain.features import BANDS, FRAMES, HOP_SAMPLES, FrontEnd
from kwstrain.progress import Progress
from kwstrain.sampler import pick

from . import engine, network, sounds

WORD, UNKNOWN, SILENCE = range(3)
SHARES = (0.3, 0.62, 0.08)
# Where the phrase ends before the window does: the score has to stay high for smoothing and patience, and to fall after.
LATEST_END_S = 0.26
# An example is longer than a window: it makes WINDOWS of them, SHIFT frames apart.
WINDOWS, SHIFT = 3, 8
SPARE = (WINDOWS - 1) * SHIFT * HOP_SAMPLES
LENGTH = augment.SECOND + SPARE
LONGEST_S = 0.95  # of a phrase; what is before that is not heard
UNKNOWN_SHARES = {"near": 0.3, "sentences": 0.24, "speech": 0.26, "partial": 0.12, "gone": 0.08}
BATCH = 64


@dataclasses.dataclass
class Material:
    """Lists of int16 recordings at 16 kHz. `speech`: real speech without the phrase; `noise`: empty for generated noise
    alone; `hard`: seconds that were taken for the phrase; `recordings`: of the phrase, by the user."""
    phrase: list
    near: list
    sentences: list
    speech: list = ()
    noise: list = ()
    hard: list = ()
    recordings: list = ()


class Maker:
    """Makes seconds of audio, float in -1..1, for a label."""

    def __init__(self, material, unknown_shares=UNKNOWN_SHARES):
        self.material = material
        shares = dict(unknown_shares)
        if not material.speech:
            shares["sentences"] += shares.pop("speech")
        self.sources, self.weights = list(shares), np.array(list(shares.values())) / sum(shares.values())

    def example(self, label, rng):
        if label == SILENCE:
            return self._silence(rng)
        samples = self._phrase(rng) if label == WORD else self._unknown(rng)
        return self._heard(samples, rng)

    def _heard(self, samples, rng):
        """In a room, at a distance, by a microphone, with something else to hear."""
        if rng.random() < 0.4:
            samples = augment.room(samples, rng)
        samples = augment.level(_equalised(samples, rng), rng)
        if rng.random() < 0.75:
            samples = augment.mix(samples, self._background(rng), rng.uniform(0, 25))
        return augment.to_16_bit(samples)

    def _utterance(self, rng):
        """The phrase, at another speed; as loud as speech around it."""
        if self.material.recordings and rng.random() < 0.5:
            samples = augment.from_16_bit(pick(self.material.recordings, rng))
        else:
            samples = augment.from_16_bit(pick(self.material.phrase, rng))
        return _even(augment.respeed(samples, rng) if rng.random() < 0.7 else samples)

    def _phrase(self, rng):
        """Its end LATEST_END_S or less before the window's, among silence or speech."""
        end = LENGTH - SPARE - int(rng.uniform(0, LATEST_END_S - SPARE / RATE) * RATE)
        samples = self._utterance(rng)[-int(LONGEST_S * RATE) :]
        return _put(self._around(end - len(samples), end, rng), samples, end - len(samples))

    def _around(self, begin, end, rng):
        """What is said before `begin` and after `end`."""
        out = np.zeros(LENGTH, np.float32)
        if rng.random() < 0.5:
            other = _even(self._speech(rng))
            pause = int(rng.uniform(0.02, 0.3) * RATE)
            _put(out, other[: max(begin - pause, 0)], 0)
        if rng.random() < 0.25:
            _put(out, _even(self._speech(rng)), end + int(rng.uniform(0.03, 0.2) * RATE))
        return out

    def _speech(self, rng):
        speech = self.material.speech if self.material.speech and rng.random() < 0.5 else self.material.sentences
        return augment.crop(pick(speech, rng), rng, LENGTH)

    def _unknown(self, rng):
        source = self.sources[rng.choice(len(self.sources), p=self.weights)]
        if source == "near":
            samples = _even(augment.from_16_bit(pick(self.material.near, rng)))
            end = LENGTH - int(rng.uniform(-0.1, 0.4) * RATE)
            return _put(self._around(end - len(samples), end, rng), samples, end - len(samples))
        if source in ("partial", "gone"):
            return self._fragment(source, rng)
        return augment.crop(pick(getattr(self.material, source), rng), rng, LENGTH)

    def _fragment(self, source, rng):
        """The phrase as it enters the window, not yet whole, or as it leaves, no more."""
        samples = self._utterance(rng)
        lost = int(rng.uniform(0.35, 0.9) * len(samples))
        begin = LENGTH - (len(samples) - lost) if source == "partial" else -lost
        return _put(self._around(begin, begin + len(samples), rng), samples, begin)

    def _background(self, rng):
        return babble_or_voice(self.material, rng) if rng.random() < 0.25 else self._noise(rng)

    def _noise(self, rng):
        if self.material.noise and rng.random() < 0.7:
            return augment.crop(pick(self.material.noise, rng), rng, LENGTH)
        return sounds.generated(rng, LENGTH)

    def _silence(self, rng):
        if rng.random() < 0.2:
            return augment.to_16_bit(rng.standard_normal(LENGTH).astype(np.float32) * 10 ** rng.uniform(-6, -3.5))
        return augment.to_16_bit(augment.level(self._noise(rng), rng))


class HardMaker(Maker):
    """Seconds that were taken for the phrase, a little earlier or later, as other rooms and microphones hear them."""

    def example(self, label, rng):
        samples = augment.from_16_bit(pick(self.material.hard, rng))
        samples = _put(np.zeros(LENGTH, np.float32), samples, LENGTH - len(samples) - int(rng.integers(-1600, 1600)))
        return self._heard(samples, rng) if rng.random() < 0.5 else augment.to_16_bit(augment.level(samples, rng))


def babble_or_voice(material, rng):
    speech = material.speech or material.sentences
    return sounds.babble(speech, rng, LENGTH) if rng.random() < 0.5 else augment.crop(pick(speech, rng), rng, LENGTH)


def _even(samples):
    """At one loudness, whoever spoke."""
    return 0.1 * samples / np.sqrt(np.mean(np.square(samples)) + 1e-9) if len(samples) else samples


def _put(out, samples, at):
    """Adds samples from `at` on, as far as they lie within."""
    low, high = max(at, 0), min(at + len(samples), len(out))
    if high > low:
        out[low:high] += samples[low - at : high - at]
    return out


def _equalised(samples, rng):
    """Through a loudspeaker or a mouth that favours some frequencies: smooth gains of up to 8 dB."""
    if rng.random() < 0.4:
        return samples
    spectrum = np.fft.rfft(samples)
    knots = np.interp(np.linspace(0, 1, len(spectrum)) ** 0.5, np.linspace(0, 1, 7), rng.uniform(-8, 8, 7))
    return np.fft.irfft(spectrum * 10 ** (knots / 20), len(samples)).astype(np.float32)


def _between(features, axis, at):
    """Values at places between the rows or bands."""
    at = np.clip(at, 0, features.shape[axis] - 1.001)
    low, part = at.astype(int), (at % 1).astype(np.float32)
    part = part[:, None] if axis == 0 else part
    return np.take(features, low, axis) * (1 - part) + np.take(features, low + 1, axis) * part


def warped(features, rng):
    """Another length of the vocal tract and another pace within the stretch: espeak-ng's voices share theirs."""
    knots = np.linspace(0, len(features) - 1, 5)
    moved = knots + np.concatenate([[0], rng.normal(0, 2.5, 3), [0]])
    features = _between(features, 0, np.interp(np.arange(len(features)), knots, moved))
    return _between(features, 1, np.arange(BANDS) * np.exp(rng.normal(0, 0.09)))


class Windows(torch.utils.data.IterableDataset):
    """Batches (the two that Trunk gives, labels), shared out among the workers."""

    def __init__(self, maker, trunk, shares, batches, seed):
        self.maker, self.trunk, self.shares, self.batches, self.seed = maker, trunk, shares, batches, seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        index, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        rng = np.random.default_rng((self.seed, index))
        front_end = FrontEnd(engine.FEATURES)
        torch.set_num_threads(1)
        for _ in range(index, self.batches, workers):
            labels = rng.choice(len(self.shares), BATCH, p=self.shares)
            features = np.empty((BATCH, 1, FRAMES + (WINDOWS - 1) * SHIFT, BANDS), np.float32)
            for i, label in enumerate(labels):
                stretch = front_end.stretch(self.maker.example(label, rng))[: features.shape[2]]
                features[i, 0] = warped(stretch, rng) if rng.random() < 0.6 else stretch
                augment.mask(features[i, 0], rng)
            with network.precision():
                means, parts = self.trunk(torch.from_numpy(features))
            yield means.half(), parts.half(), torch.from_numpy(labels).repeat_interleave(WINDOWS)


def pool(maker, trunk, shares, count, seed, jobs, title):
    """`count` windows, rounded up to batches, as three tensors."""
    dataset = Windows(maker, trunk, shares, -(-count // (BATCH * WINDOWS)), seed)
    progress = Progress(title, dataset.batches)
    parts = []
    for part in torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=jobs):
        parts.append(part)
        progress.step("")
    progress.finish()
    return tuple(torch.cat(column) for column in zip(*parts))
