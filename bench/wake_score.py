# SPDX-License-Identifier: Apache-2.0
"""From an engine's events in a stream to misses and false alarms, and what rates can be told."""

import bisect
from dataclasses import dataclass, field
from typing import NamedTuple

from scipy import stats

LATE_S = 0.5  # after a word's end an event still counts as a hit, as in the public benchmark


class Event(NamedTuple):
    label: str
    threshold: float
    time_s: float  # in the stream


@dataclass
class Tally:
    """What one threshold does with one keyword."""
    hours: float = 0.0        # in which an event is a false alarm
    spoken: int = 0
    found: int = 0
    repeats: int = 0          # further events of a word that was found
    alarms: int = 0
    on_other_words: int = 0   # of the alarms: while another keyword is spoken
    delays_s: list = field(default_factory=list)  # from a word's end to its event

    def __add__(self, other):
        return Tally(*(getattr(self, name) + getattr(other, name) for name in vars(self)))

    @property
    def miss_rate(self):
        return 1 - self.found / self.spoken if self.spoken else 0.0

    @property
    def alarms_per_hour(self):
        return self.alarms / self.hours if self.hours else 0.0


def word_at(words, time_s):
    """Index of the word that is spoken at this time or was until LATE_S ago, or None.

    `words` are in order and further apart than LATE_S.
    """
    index = bisect.bisect_right(words, time_s, key=lambda word: word.start_s) - 1
    return index if index >= 0 and time_s <= words[index].end_s + LATE_S else None


def count(words, label, times_s, stream_s):
    """The tally of a keyword's events at `times_s`, in order; `words` are those of all keywords."""
    own = [word for word in words if word.label == label]
    heard_s = sum(word.end_s + LATE_S - word.start_s for word in own)
    tally = Tally((stream_s - heard_s) / 3600, len(own))
    found = set()
    for time_s in times_s:
        index = word_at(words, time_s)
        if index is None or words[index].label != label:
            tally.alarms += 1
            tally.on_other_words += index is not None
        elif index in found:
            tally.repeats += 1
        else:
            found.add(index)
            tally.found += 1
            if words[index].sure:
                tally.delays_s.append(time_s - words[index].end_s)
    return tally


def curves(words, events, thresholds, stream_s):
    """{label: {threshold: tally}} of the events of all keywords and thresholds."""
    times = {}
    for event in sorted(events, key=lambda event: event.time_s):
        times.setdefault((event.label, event.threshold), []).append(event.time_s)
    return {label: {threshold: count(words, label, times.get((label, threshold), ()), stream_s)
                    for threshold in thresholds}
            for label in sorted({word.label for word in words})}


def add_curves(parts):
    """One curve of the tallies of several streams."""
    return {threshold: sum((part[threshold] for part in parts), Tally()) for threshold in parts[0]}


def choose(curve, alarms_per_hour):
    """The threshold with the fewest misses whose alarms are within the rate, or None."""
    within = [threshold for threshold in curve
              if curve[threshold].alarms_per_hour <= alarms_per_hour]
    return min(within, default=None,
               key=lambda t: (curve[t].miss_rate, curve[t].alarms, -t))


class Score:
    """Of an engine, at the levels of noise that it heard: {level: {label: {threshold: tally}}}."""

    def __init__(self, name, words, events, thresholds, stream_s):
        self.name, self.levels = name, list(events)
        self.labels = sorted({word.label for word in words})
        self.curves = {level: curves(words, events[level], thresholds, stream_s)
                       for level in events}

    def pooled(self, label):
        return add_curves([self.curves[level][label] for level in self.levels])

    def choose(self, rate):
        """{label: threshold}, each the same at all levels."""
        return {label: choose(self.pooled(label), rate) for label in self.labels}

    def choose_at(self, level, rate):
        return {label: choose(self.curves[level][label], rate) for label in self.labels}

    def tally(self, level, label, threshold):
        """With no threshold the keyword is off: all is missed, nothing heard."""
        curve = self.curves[level][label]
        if threshold is not None:
            return curve[threshold]
        first = next(iter(curve.values()))
        return Tally(first.hours, first.spoken)

    def tallies(self, level, thresholds):
        return [self.tally(level, label, thresholds[label]) for label in self.labels]


def mean_miss_rate(tallies):
    return sum(tally.miss_rate for tally in tallies) / len(tallies)


def poisson_interval(events, hours, confidence=0.95):
    """Of the rate an hour, by Garwood as in tune/poisson.h."""
    tail = (1 - confidence) / 2
    low = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    return low / hours, stats.chi2.ppf(1 - tail, 2 * events + 2) / 2 / hours


def share_interval(events, trials, confidence=0.95):
    """Of a share, by Clopper and Pearson."""
    tail = (1 - confidence) / 2
    low = stats.beta.ppf(tail, events, trials - events + 1) if events else 0.0
    high = stats.beta.ppf(1 - tail, events + 1, trials - events) if events < trials else 1.0
    return low, high
