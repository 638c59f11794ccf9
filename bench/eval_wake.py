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
import wake_report
import wake_score
import wake_streams
from wake_score import Score

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECKED_LEVEL = "10 dB"
LEVELS = tuple(wake_streams.LEVELS)


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
    """The scores of kwsd and, where it is wanted, PocketSphinx."""
    labels = sorted({word.label for word in streams.words})
    options = scan_options(arguments.set)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        ours = {level: pool.submit(wake_engines.sweep_kws, model, streams.files[level], options)
                for level in LEVELS}
        theirs = {level: pool.submit(wake_engines.sweep_sphinx, streams.files[level], labels,
                                     arguments.folder) for level in arguments.pocketsphinx}
        runs = [("kwsd", ours, wake_engines.kws_thresholds(model)),
                ("PocketSphinx", theirs, wake_engines.SPHINX_THRESHOLDS)]
        return [Score(name, streams.words, {level: job.result() for level, job in jobs.items()},
                      thresholds, streams.seconds["all"])
                for name, jobs, thresholds in runs if jobs]


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


def report(arguments, streams, scores, check):
    """All of it for the JSON file; thresholds become texts."""
    def plain(tally):
        kept = dict(vars(tally), delays_s=[round(delay, 3) for delay in tally.delays_s])
        return dict(kept, interval=wake_score.poisson_interval(tally.alarms, tally.hours))
    return {"model": str(arguments.model), "settings": arguments.set, "check": check,
            "seconds": streams.seconds, "engines": {score.name: {
                "chosen": {rate: score.choose(rate) for rate in wake_report.RATES},
                "curves": {level: {label: {f"{threshold:g}": plain(tally)
                                           for threshold, tally in curve.items()}
                                   for label, curve in score.curves[level].items()}
                           for level in score.levels}} for score in scores}}


def main():
    arguments = parse_arguments()
    os.nice(5)
    alignment = ROOT / "train/wakewords-alignment.tsv"
    streams = wake_streams.load(arguments.data, alignment, arguments.folder)
    model = wake_engines.read_model(arguments.kws, arguments.model)
    missing = sorted({word.label for word in streams.words} - model.spelling.keys())
    if missing:
        raise SystemExit(f"eval-wake: {arguments.model} does not know {', '.join(missing)}")
    scores = run_engines(arguments, model, streams)
    check = check_scan(arguments.set, model, streams, scores[0],
                       scores[0].choose(wake_report.MAIN_RATE))
    wake_report.print_head(model, streams, check)
    wake_report.print_rates(scores, streams.seconds["all"] / 3600)
    wake_report.print_comparison(scores)
    for score in scores:
        wake_report.print_keywords(score)
    wake_report.print_shipped(scores[0], model.thresholds)
    print(f"\nkws scan with the thresholds of kwsd above, at {CHECKED_LEVEL}: {check['events']} "
          f"events, {'the same' if check['same'] else 'NOT the same'} as counted here.")
    arguments.json.write_text(json.dumps(report(arguments, streams, scores, check)),
                              encoding="utf-8")


if __name__ == "__main__":
    main()
