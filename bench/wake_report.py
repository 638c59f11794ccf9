# SPDX-License-Identifier: Apache-2.0
"""The tables of ./dev eval-wake."""

import numpy

from wake_score import Tally, mean_miss_rate, poisson_interval, share_interval
from wake_streams import LEVELS

RATES = (0.1, 0.5, 1.0, 2.0)  # false alarms an hour, of each keyword
MAIN_RATE = 0.5


def poisson_text(alarms, hours):
    low, high = poisson_interval(alarms, hours)
    return f"{low:.2f} to {high:.2f}"


def print_row(name, cells, form="8.1f"):
    """A cell for each level; None where there is nothing to tell."""
    print(f"{name:42}" + "".join(f"{'-':>8}" if cell is None else f"{cell:{form}}"
                                 for cell in cells))


def print_head(model, streams, check):
    labels = sorted({word.label for word in streams.words})
    counts = [f"{label} {sum(word.label == label for word in streams.words)}" for label in labels]
    unsure = sum(not word.sure for word in streams.words)
    hours = {kind: f"{seconds / 3600:.2f}" for kind, seconds in streams.seconds.items()}
    once = 3600 / streams.seconds["all"]
    exits = f"exits by {check['policy']}, mean exit {check['mean_exit']:.2f} at {check['level']}"
    print(f"""
{model.path.name}: {exits}.
{len(streams.words)} clips ({', '.join(counts)};
in {unsure} of them the word is not placed surely) in a stream of {hours['all']} hours: \
{hours['speech']} of read
English by {streams.speakers} speakers, {hours['otherwords']} of Arabic words, \
{hours['noise']} of noise, {hours['wakewords']} of the clips, and
pauses. The same speech at every level of noise, with other noise. One false alarm in such a stream
is {once:.2f} an hour, and the true rate then {poisson_text(1, 1 / once)} (95 %).""")


def miss_percents(score, thresholds_of):
    """The mean of the keywords for each level; `thresholds_of` gives a level's thresholds."""
    return [100 * mean_miss_rate(score.tallies(level, thresholds_of(level)))
            if level in score.levels else None for level in LEVELS]


def print_rates(scores, hours):
    print(f"""
MISSED, %, mean of the keywords. One threshold for all levels of noise, by the alarms of all of them
({len(LEVELS)} x {hours:.2f} hours of the same sentences with other noise: not as good as hours of \
other sentences).""")
    print_row("alarms an hour of each keyword, at most", LEVELS, ">8")
    for rate in RATES:
        for score in scores:
            chosen = score.choose(rate)
            print_row(f"{rate:<5}{score.name}", miss_percents(score, lambda _, own=chosen: own))
    print(f"\nThe same with a threshold for each level by its own alarms, at most {MAIN_RATE} an "
          f"hour, so {int(MAIN_RATE * hours)} in all:")
    for score in scores:
        print_row(f"{MAIN_RATE:<5}{score.name}", miss_percents(
            score, lambda level, own=score: own.choose_at(level, MAIN_RATE)))


def print_comparison(scores):
    """At how many points of the first table our score misses less than another engine."""
    for other in scores[1:]:
        pairs = [(ours, theirs) for rate in RATES for ours, theirs in zip(
            *(miss_percents(score, lambda _, own=score.choose(rate): own)
              for score in (scores[0], other))) if theirs is not None]
        print(f"\n{scores[0].name} misses less than {other.name} at "
              f"{sum(ours < theirs for ours, theirs in pairs)} of {len(pairs)} points of the first "
              "table.")


def print_keywords(score):
    """What each keyword does at the main rate."""
    chosen = score.choose(MAIN_RATE)
    print(f"\n{score.name}, each keyword at most {MAIN_RATE} alarms an hour at the levels told:")
    print_row(f"{'':13}threshold  alarms an hour", score.levels, ">8")
    for label in score.labels:
        tallies = [score.tally(level, label, chosen[label]) for level in score.levels]
        pooled = sum(tallies, Tally())
        threshold = "off" if chosen[label] is None else f"{chosen[label]:.4g}"
        print_row(f"{label:13}{threshold:>9}  {pooled.alarms_per_hour:.2f} "
                  f"({poisson_text(pooled.alarms, pooled.hours)})",
                  [100 * tally.miss_rate for tally in tallies])
    print_totals([sum(score.tallies(level, chosen), Tally()) for level in score.levels])


def print_totals(totals):
    """Of all keywords, at each level."""
    missed = [total.spoken - total.found for total in totals]
    lows, highs = zip(*(share_interval(total.spoken - total.found, total.spoken)
                        for total in totals))
    print_row(f"missed of {totals[0].spoken}", missed, "8")
    print_row("  % of them, 95 % interval from", [100 * low for low in lows])
    print_row("                             to", [100 * high for high in highs])
    print_row("alarms", [total.alarms for total in totals], "8")
    print_row("  of these while another keyword is spoken",
              [total.on_other_words for total in totals], "8")
    print_row("told twice", [total.repeats for total in totals], "8")
    for share in (50, 95):
        print_row(f"ms from the end of the word, p{share}",
                  [1000 * numpy.percentile(total.delays_s, share) if total.delays_s else None
                   for total in totals], "8.0f")


def print_shipped(kwsd, thresholds):
    """What the daemon does without any threshold in its configuration."""
    totals = [sum(kwsd.tallies(level, thresholds), Tally()) for level in LEVELS]
    print()
    print_row("With the thresholds as shipped", LEVELS, ">8")
    print_row("missed, %", miss_percents(kwsd, lambda _: thresholds))
    # the hours are counted once for each keyword
    print_row("alarms an hour, all keywords together",
              [total.alarms_per_hour * len(kwsd.labels) for total in totals], "8.2f")
