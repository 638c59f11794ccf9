#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How good a model of train/keyword is on real recordings that it never heard: misses and false alarms in an hour.

    train/judge_keyword.py --clips clips.tsv --word happy --speech FOLDER CONFIG...

The clips of the word (val rows of a table of path, word, speaker and split) are put between the recordings of the speech,
and `kws scan` goes over that stream with each configuration: with its own threshold and with those of --thresholds.
"""
import argparse
import pathlib
import random
import tempfile

from scipy.stats import beta, chi2

from kwstrain.data import decode, read_list
from kwsword import engine, sounds


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="+", type=pathlib.Path, help="what train/keyword has written")
    parser.add_argument("--clips", type=pathlib.Path, required=True)
    parser.add_argument("--word", required=True)
    parser.add_argument("--all", action="store_true", help="clips of every split: only where none was trained on")
    parser.add_argument("--speech", required=True, help="folder of recordings without the word")
    parser.add_argument("--hours", type=float, default=1000.0, help="at most so many of them")
    parser.add_argument("--thresholds", type=lambda text: [float(t) for t in text.split(",")], default=[],
                        help="to try as well, with commas between them")
    return parser.parse_args()


def misses(missed, spoken):
    """Percent, with the exact interval of Clopper and Pearson."""
    low = beta.ppf(0.025, missed, spoken - missed + 1) if missed else 0.0
    high = beta.ppf(0.975, missed + 1, spoken - missed) if missed < spoken else 1.0
    return f"missed {missed} of {spoken}: {100 * missed / spoken:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def alarms(count, hours):
    """An hour, with the exact interval of Garwood."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return (f"{count} false alarms in {hours:.2f} hours: {count / hours:.2f} an hour ({low / hours:.2f} to "
            f"{chi2.ppf(0.975, 2 * count + 2) / 2 / hours:.2f})")


def value_in(config, key):
    """Of a configuration that train/keyword wrote."""
    lines = config.read_text(encoding="utf-8").splitlines()
    return next(line.split("=", 1)[1].strip() for line in lines if line.startswith(key + " ="))


def judge(config, stream, more):
    own = float(value_in(config, "threshold"))
    thresholds = sorted({own, *more})
    for threshold, found in zip(thresholds, engine.scan(value_in(config, "path"), [stream], {}, thresholds, config)):
        found, spoken, count, hours = engine.judge([stream], found)
        print(f"{config} at {threshold:g}{' (its own)' if threshold == own else ''}: {misses(spoken - found, spoken)}; "
              f"{alarms(count, hours)}", flush=True)


def main():
    args = arguments()
    rng = random.Random(1)
    clips = [decode(args.clips.parent / row["path"]) for row in read_list(args.clips)
             if row["word"] == args.word and (args.all or row["split"] == "val")]
    if not clips:
        raise SystemExit(f"{args.clips}: no clips of '{args.word}'")
    with tempfile.TemporaryDirectory(prefix="kws-judge-") as folder:
        speech = sounds.decoded("speech", sounds.recordings_in(args.speech), folder, args.hours, rng)
        stream = engine.stream(pathlib.Path(folder) / "judge.wav", list(speech), rng, clips)
        for config in args.config:
            judge(config, stream, args.thresholds)


if __name__ == "__main__":
    main()
