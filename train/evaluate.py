#!/usr/bin/python3
"""Accuracy of a command model on the val split, measured with the C engine (`kws classify`).

Prints, per exit, the accuracy over all clips of commands.tsv (val) and val noise as `_silence_`, the
last exit per label, and the entropy rule's trade-off.
"""
import argparse
import collections
import pathlib
import tempfile

import numpy as np
import soundfile

from kwstrain.data import HELD_OUT, KEYWORDS, LABELS, RATE, decode, read_list, rows
from kwstrain.wakewords import read_alignment
from report.engine import Engine

ROOT = pathlib.Path(__file__).parents[1]
DELTAS = [0.1, 0.25, 0.5, 0.75, 1.0]


def share(flags):
    flags = list(flags)
    return 100 * sum(flags) / len(flags) if flags else float("nan")


def wake_words(root, folder):
    """A second around the middle of every wake word, of either split, as files in the folder."""
    for path, (start_s, end_s, _) in read_alignment().items():
        samples = np.pad(decode(root / path), RATE)
        first = int((start_s + end_s + 1) / 2 * RATE)
        out = pathlib.Path(folder, path.replace("/", "-")).with_suffix(".wav")
        soundfile.write(out, samples[first : first + RATE], RATE)
        yield out


def never_heard(root, folder):
    """(what, clips) of all that training has never heard and that is no command."""
    words = [root / row["path"] for row in read_list(root / "commands.tsv") if row["word"] in HELD_OUT]
    speech = [root / row["path"] for row in read_list(root / "speech.tsv") if row["split"] == "val"]
    yield " ".join(sorted(HELD_OUT)), words
    yield "the wake words", list(wake_words(root, folder))
    yield "the middle second of read sentences (val)", speech


def print_never_heard(args):
    """How much of it is `_unknown_`, and how much no command (`_silence_` between two words of a sentence is right, too)."""
    with tempfile.TemporaryDirectory() as folder:
        for what, clips in never_heard(args.data, folder):
            heard = [a["label"] for a in Engine(args.kws).classify(args.model, clips)]
            print(f"  {share(label == '_unknown_' for label in heard):6.2f} % _unknown_, "
                  f"{share(label not in KEYWORDS for label in heard):6.2f} % no command, of {len(heard)}: {what}")


def early_exit(answer, delta):
    """(exit, label) under the entropy rule."""
    for index, one in enumerate(answer["exits"], 1):
        if one["entropy"] < delta or index == len(answer["exits"]):
            return index, one["label"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--model", default=ROOT / "models" / "commands.safetensors")
    parser.add_argument("--kws", default=ROOT / "build" / "cli" / "kws")
    args = parser.parse_args()
    judged = rows(args.data)
    answers = Engine(args.kws).classify(args.model, [path for path, _, _ in judged])
    wanted = [LABELS[label] for _, label, _ in judged]
    words = [word for _, _, word in judged]

    print(f"{len(judged)} clips ({words.count('_silence_')} of noise)")
    exits = len(answers[0]["exits"])
    for e in range(exits):
        print(f"exit {e + 1}: {share(a['exits'][e]['label'] == w for a, w in zip(answers, wanted)):.2f} %")
    print("last exit, per label:")
    for label in LABELS:
        right = [a["label"] == label for a, w in zip(answers, wanted) if w == label]
        print(f"  {label:10} {share(right):6.2f} %  of {len(right)}")
    print("never heard in training:")
    print_never_heard(args)
    print("delta   accuracy   mean exit   share of exits 1 to", exits)
    for delta in DELTAS:
        chosen = [early_exit(a, delta) for a in answers]
        counts = collections.Counter(e for e, _ in chosen)
        shares = " ".join(f"{100 * counts[e] / len(chosen):5.1f}" for e in range(1, exits + 1))
        accuracy = share(label == w for (_, label), w in zip(chosen, wanted))
        print(f"{delta:5}   {accuracy:6.2f} %   {sum(e for e, _ in chosen) / len(chosen):9.2f}   {shares}")


if __name__ == "__main__":
    main()
