#!/usr/bin/python3
"""The temperature of each exit that suits the val split best, found with the C engine's logits.

Posteriors are softmax(logits / T). T is the one with the least mean negative log likelihood of the right
label, found for each exit alone (C. Guo et al., "On Calibration of Modern Neural Networks"). Prints it
with that likelihood and the expected calibration error (15 bins of equal width) before and after; the
last line is for [exits] or, as a list, for set_exits.py.
"""
import argparse
import pathlib

import numpy as np

from kwstrain.data import LABELS, rows
from report.engine import Engine

ROOT = pathlib.Path(__file__).parents[1]
LEAST, MOST = 0.05, 20.0  # temperatures that are tried
BINS = 15


def log_posteriors(logits, temperature):
    scaled = logits / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))


def mean_nll(logits, labels, temperature):
    return -log_posteriors(logits, temperature)[np.arange(len(labels)), labels].mean()


def fit(logits, labels):
    """Ternary search over log T: the likelihood is convex in 1 / T, so it has one valley."""
    low, high = np.log(LEAST), np.log(MOST)
    while high - low > 1e-4:
        third = (high - low) / 3
        left, right = low + third, high - third
        if mean_nll(logits, labels, np.exp(left)) < mean_nll(logits, labels, np.exp(right)):
            high = right
        else:
            low = left
    return np.exp((low + high) / 2)


def calibration_error(logits, labels, temperature):
    """Mean distance of score and accuracy over bins of the score, weighted by their clips."""
    posteriors = np.exp(log_posteriors(logits, temperature))
    scores, right = posteriors.max(axis=1), posteriors.argmax(axis=1) == labels
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    return sum(abs(scores[bins == b].sum() - right[bins == b].sum()) for b in range(BINS)) / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default=ROOT / "models" / "commands.safetensors")
    parser.add_argument("--kws", default=ROOT / "build" / "cli" / "kws")
    args = parser.parse_args()
    judged = rows(args.data)
    answers = Engine(args.kws).classify(args.model, [path for path, _, _ in judged], "--logits")
    labels = np.array([label for _, label, _ in judged])
    print(f"{len(judged)} clips, labels {', '.join(LABELS)}")
    print("exit   temperature   likelihood before and after   calibration error before and after")
    found = []
    for index in range(len(answers[0]["exits"])):
        logits = np.array([answer["exits"][index]["logits"] for answer in answers])
        temperature = fit(logits, labels)
        found.append(f"{temperature:.3g}")
        print(f"{index + 1:4}   {temperature:11.3f}   {-mean_nll(logits, labels, 1):17.4f} "
              f"{-mean_nll(logits, labels, temperature):9.4f}   {calibration_error(logits, labels, 1):24.4f} "
              f"{calibration_error(logits, labels, temperature):9.4f}")
    print("temperature =", ", ".join(found))


if __name__ == "__main__":
    main()
