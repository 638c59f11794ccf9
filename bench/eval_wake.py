#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Misses and false alarms of the wake words in hours of val speech with noise, beside PocketSphinx.

docs/wake-words.md says how it is done and what the figures mean. Prints, writes all of it to the
JSON file, and never fails because of its figures.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib

import numpy

import wake_engines
import wake_score
import wake_streams

ROOT = pathlib.Path(__file__).resolve().parent.parent
RATES = (0.1, 0.5, 1.0, 2.0)  # false alarms an hour, of each keyword
MAIN_RATE = 0.5
CHECKED_LEVEL = "10 dB"
LEVELS = tuple(wake_streams.LEVELS)


class Engine:
    """Its curves: {level: {label: {threshold: tally}}}, for the levels that it was run at."""

    def __init__(self, name, streams, events, thresholds):
        self.name, self.levels = name, list(events)
        self.curves = {level: wake_score.curves(streams.words, events[level], thresholds,
                                                streams.seconds["all"]) for level in events}
        self.labels = sorted({word.label for word in streams.words})

    def pooled(self, label):
        return wake_score.add_curves([self.curves[level][label] for level in self.levels])

    def choose(self, rate):
        """{label: threshold}, each the same at all levels."""
        return {label: wake_score.choose(self.pooled(label), rate) for label in self.labels}

    def choose_at(self, level, rate):
        return {label: wake_score.choose(self.curves[level][label], rate) for label in self.labels}

    def tally(self, level, label, threshold):
        """With no threshold the keyword is off: all is missed, nothing heard."""
        curve = self.curves[level][label]
        if threshold is not None:
            return curve[threshold]
        first = next(iter(curve.values()))
        return wake_score.Tally(first.hours, first.spoken)

    def tallies(self, level, thresholds):
        return [self.tally(level, label, thresholds[label]) for label in self.labels]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev eval-wake", description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "models/wake.safetensors")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE",
                        help="a setting of the daemon's configuration, as often as wanted")
    parser.add_argument("--pocketsphinx", default=",".join(LEVELS), metavar="LEVEL,...",
                        help="the levels of noise that it hears, or none (default: %(default)s); "
                             "what it heard once is kept")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/data")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "build/eval-wake.json")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/eval-wake",
                        help="keeps the streams (1.2 GB) and what PocketSphinx heard")
    parser.add_argument("--kws", type=pathlib.Path, default=ROOT / "build/cli/kws")
    arguments = parser.parse_args()
    arguments.pocketsphinx = [level for level in arguments.pocketsphinx.split(",")
                              if level and level != "none"]
    for level in arguments.pocketsphinx:
        if level not in LEVELS:
            parser.error(f"--pocketsphinx: '{level}' is none of {', '.join(LEVELS)}")
    for path in (arguments.model, arguments.data / "wakewords.tsv"):
        if not path.exists():
            parser.error(f"{path} is not there")
    return arguments


def scan_options(settings):
    return [word for setting in settings for word in ("--set", setting)]


def run_engines(arguments, model, streams):
    labels = sorted({word.label for word in streams.words})
    options = scan_options(arguments.set)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        ours = {level: pool.submit(wake_engines.sweep_kws, model, streams.files[level], options)
                for level in LEVELS}
        theirs = {level: pool.submit(wake_engines.sweep_sphinx, streams.files[level], labels,
                                     arguments.folder) for level in arguments.pocketsphinx}
        events = {level: job.result() for level, job in ours.items()}
        engines = [Engine("kwsd", streams, events, wake_engines.kws_thresholds(model))]
        if theirs:
            events = {level: job.result() for level, job in theirs.items()}
            engines.append(Engine("PocketSphinx", streams, events,
                                  wake_engines.SPHINX_THRESHOLDS))
    return engines


def check_scan(settings, model, streams, kwsd, thresholds):
    """Whether kws scan with these thresholds finds what the sweep says, and how deep it went."""
    own = [f"keyword {model.spelling[label]}.threshold={threshold}"
           for label, threshold in thresholds.items() if threshold is not None]
    events, exits, policy = [], [], ""
    for told in wake_engines.kws_scan(model, streams.files[CHECKED_LEVEL],
                                      ["--scores", *scan_options(settings + own)]):
        if "name" in told:
            events.append(wake_engines.to_event(told))
        else:
            exits.append(told["exit"])
            policy = told["policy"]
    found = wake_score.curves(streams.words, events, set(thresholds.values()) - {None},
                              streams.seconds["all"])
    same = all(found[label][threshold] == kwsd.tally(CHECKED_LEVEL, label, threshold)
               for label, threshold in thresholds.items() if threshold is not None)
    return {"level": CHECKED_LEVEL, "events": len(events), "same": same, "policy": policy,
            "mean_exit": float(numpy.mean(exits))}


def mean_miss(tallies):
    return sum(tally.miss_rate for tally in tallies) / len(tallies)


def print_head(arguments, streams, check):
    hours = {kind: seconds / 3600 for kind, seconds in streams.seconds.items()}
    counts = [f"{label} {sum(word.label == label for word in streams.words)}"
              for label in sorted({word.label for word in streams.words})]
    unsure = sum(not word.sure for word in streams.words)
    print(f"{arguments.model.name}: exits by {check['policy']}{' as shipped' * (not arguments.set)}"
          f", mean exit {check['mean_exit']:.2f} at {check['level']}. {len(streams.words)} clips "
          f"({', '.join(counts)}; in {unsure} of them the word is not placed surely)\nin a stream "
          f"of {hours['all']:.2f} hours: {hours['speech']:.2f} of read English by "
          f"{streams.speakers} speakers, {hours['otherwords']:.2f} of Arabic words, "
          f"{hours['noise']:.2f} of noise, {hours['wakewords']:.2f} of clips, and pauses. The same "
          f"speech at every level\nof noise, with other noise. One false alarm in such a stream is "
          f"{1 / hours['all']:.2f} an hour, and the true rate then {poisson_text(1, hours['all'])}"
          f" (95 %).")


def poisson_text(alarms, hours):
    low, high = wake_score.poisson_interval(alarms, hours)
    return f"{low:.2f} to {high:.2f}"


def print_columns(first, levels):
    print(f"\n{first:42}" + "".join(f"{level:>8}" for level in levels))


def print_misses(name, engine, thresholds_of):
    """One row of mean miss rates; `thresholds_of` gives a level's thresholds."""
    print(f"{name:42}" + "".join(
        f"{100 * mean_miss(engine.tallies(level, thresholds_of(level))):8.1f}"
        if level in engine.levels else f"{'-':>8}" for level in LEVELS))


def print_rates(engines, hours):
    print("\nMISSED, %, mean of the keywords. One threshold for all levels of noise, by the alarms "
          f"of all of them\n({len(LEVELS)} x {hours:.2f} hours of the same sentences with other "
          "noise: not as good as hours of other sentences).")
    print_columns("alarms an hour of each keyword, at most", LEVELS)
    for rate in RATES:
        for engine in engines:
            thresholds = engine.choose(rate)
            print_misses(f"{rate:<5}{engine.name}", engine, lambda _, chosen=thresholds: chosen)
    print("\nThe same with a threshold for each level by its own alarms, "
          f"at most {MAIN_RATE} an hour, so {int(MAIN_RATE * hours)} in all:")
    for engine in engines:
        print_misses(f"{MAIN_RATE:<5}{engine.name}", engine,
                     lambda level, engine=engine: engine.choose_at(level, MAIN_RATE))


def print_keywords(engine):
    """What each keyword does at the main rate."""
    chosen = engine.choose(MAIN_RATE)
    print(f"\n{engine.name}, each keyword at most {MAIN_RATE} alarms an hour:")
    print_columns(f"{'':13}threshold  alarms an hour", engine.levels)
    for label in engine.labels:
        tallies = [engine.tally(level, label, chosen[label]) for level in engine.levels]
        pooled = sum(tallies, wake_score.Tally())
        threshold = "off" if chosen[label] is None else f"{chosen[label]:.4g}"
        print(f"{label:13}{threshold:>9}  {pooled.alarms_per_hour:.2f} "
              f"({poisson_text(pooled.alarms, pooled.hours)})".ljust(42) +
              "".join(f"{100 * tally.miss_rate:8.1f}" for tally in tallies))
    totals = [sum(engine.tallies(level, chosen), wake_score.Tally()) for level in engine.levels]
    print(f"{f'missed of {totals[0].spoken}':42}" +
          "".join(f"{total.spoken - total.found:8}" for total in totals))
    intervals = [wake_score.share_interval(total.spoken - total.found, total.spoken)
                 for total in totals]
    for name, end in (("95 % interval, % of the clips, from", 0), ("to", 1)):
        print(f"{name:>41} " + "".join(f"{100 * interval[end]:8.1f}" for interval in intervals))
    print_rest(engine, totals)


def print_rest(engine, totals):
    print(f"{'alarms while another keyword is spoken':42}" +
          "".join(f"{total.on_other_words:8}" for total in totals))
    print(f"{'told twice':42}" + "".join(f"{total.repeats:8}" for total in totals))
    for share in (50, 95):
        delays = [1000 * numpy.percentile(total.delays_s, share) if total.delays_s else 0
                  for total in totals]
        print(f"{f'ms from the end of the word, p{share}':42}" +
              "".join(f"{delay:8.0f}" for delay in delays))


def print_shipped(kwsd, thresholds):
    """What the daemon does without any threshold in its configuration."""
    chosen = {label: round(thresholds[label], 4) for label in kwsd.labels}
    totals = [sum(kwsd.tallies(level, chosen), wake_score.Tally()) for level in LEVELS]
    print_columns("With the thresholds as shipped", LEVELS)
    print_misses("missed, %", kwsd, lambda _: chosen)
    # the hours are counted once for each keyword
    rates = [total.alarms_per_hour * len(kwsd.labels) for total in totals]
    print(f"{'alarms an hour, all keywords together':42}" +
          "".join(f"{rate:8.2f}" for rate in rates))


def report(arguments, streams, engines, check):
    """All of it for the JSON file; thresholds become texts."""
    def plain(tally):
        kept = dict(vars(tally), delays_s=[round(delay, 3) for delay in tally.delays_s])
        return dict(kept, interval=wake_score.poisson_interval(tally.alarms, tally.hours))
    return {"model": str(arguments.model), "settings": arguments.set, "check": check,
            "seconds": streams.seconds, "engines": {engine.name: {
                "chosen": {rate: engine.choose(rate) for rate in RATES},
                "curves": {level: {label: {f"{threshold:g}": plain(tally)
                                           for threshold, tally in curve.items()}
                                   for label, curve in engine.curves[level].items()}
                           for level in engine.levels}} for engine in engines}}


def main():
    arguments = parse_arguments()
    os.nice(5)
    alignment = ROOT / "train/wakewords-alignment.tsv"
    streams = wake_streams.load(arguments.data, alignment, arguments.folder)
    model = wake_engines.read_model(arguments.kws, arguments.model)
    missing = sorted({word.label for word in streams.words} - model.spelling.keys())
    if missing:
        raise SystemExit(f"eval-wake: {arguments.model} does not know {', '.join(missing)}")
    engines = run_engines(arguments, model, streams)
    check = check_scan(arguments.set, model, streams, engines[0], engines[0].choose(MAIN_RATE))
    print_head(arguments, streams, check)
    print_rates(engines, streams.seconds["all"] / 3600)
    for engine in engines:
        print_keywords(engine)
    print_shipped(engines[0], model.thresholds)
    print(f"\nkws scan with the thresholds of kwsd above, at {CHECKED_LEVEL}: {check['events']} "
          f"events, {'the same' if check['same'] else 'NOT the same'} as counted here.")
    arguments.json.write_text(json.dumps(report(arguments, streams, engines, check)),
                              encoding="utf-8")


if __name__ == "__main__":
    main()
