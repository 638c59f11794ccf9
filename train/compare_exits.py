#!/usr/bin/python3
"""Models against each other: accuracy for mean cost, both measured with the C engine.

The thresholds of each point are tuned on one half of the validation clips, the figures are of the other half. The
cost is the time of a window on this machine (bench-networks). Draws the curves as an SVG.
"""
import argparse
import pathlib

import numpy as np

from kwstrain.chart import draw
from kwstrain.data import LABELS, rows
from report.engine import Engine
from search.halves import halves
from search.thresholds import Chain

ROOT = pathlib.Path(__file__).parents[1]
PENALTIES = (0.01, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
ROUNDS = 5


def read_answers(engine, model, paths):
    """Per exit: (right label or not is the caller's) labels and entropies of every clip."""
    found = engine.classify(model, paths)
    labels = np.array([[LABELS.index(one["label"]) for one in answer["exits"]] for answer in found])
    entropies = np.array([[one["entropy"] for one in answer["exits"]] for answer in found])
    return labels.T, entropies.T


def curve(tuning, told):
    """[(mean cost in us, accuracy in %, deltas)] of the half that is told, one for each penalty, cheapest first."""
    points = {}
    for penalty in PENALTIES:
        deltas = tuning.tune(penalty)
        accuracy, cost, _ = told.play(deltas)
        points[deltas] = (cost, accuracy, deltas)
    return sorted(points.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--kws", default=ROOT / "build" / "cli" / "kws")
    parser.add_argument("--bench", default=ROOT / "build-release" / "bench" / "bench-networks")
    parser.add_argument("--svg", type=pathlib.Path, help="file for the curves")
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    judged = rows(args.data)
    wanted = np.array([label for _, label, _ in judged])
    half_a, half_b = halves(len(judged))
    engine = Engine(args.kws, args.bench)
    _, times = engine.times_us({model.stem: model for model in args.models}, ROUNDS)
    curves = {}
    print(f"thresholds from {len(half_a)} clips, figures of {len(half_b)} others")
    for model in args.models:
        labels, entropies = read_answers(engine, model, [path for path, _, _ in judged])
        a, b = (Chain(labels[:, half] == wanted[half], entropies[:, half], times[model.stem]) for half in (half_a, half_b))
        curves[model.stem] = curve(a, b)
        print(f"\n{model.stem}: each exit alone: "
              + "  ".join(f"{100 * (labels[e, half_b] == wanted[half_b]).mean():.2f} % {us:.1f} us"
                          for e, us in enumerate(times[model.stem])))
        for cost, accuracy, deltas in curves[model.stem]:
            print(f"  {accuracy:6.2f} %  {cost:6.1f} us  deltas {' '.join(map(str, deltas))}")
    if args.svg:
        args.svg.write_text(draw(curves, "mean time of a window, us", "accuracy, %"))


if __name__ == "__main__":
    main()
