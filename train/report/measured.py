"""The networks of a folder, each with all that the report tells of it."""
import re

from report import counts
from report.published import DELTAS, EXITS, NETWORKS

SINGLE = re.compile(rf"({'|'.join(NETWORKS)})-single-([1-{EXITS}])")


class Measured:
    """`times_us`: of a clip up to each exit, the front end included."""

    def __init__(self, info, accuracies, operations, times_us):
        self.info, self.accuracies, self.operations, self.times_us = info, accuracies, operations, times_us


def find(folder, engine, labels):
    """({network: (path, info)}, {(network, exit): (path, info)}) of the models in the folder."""
    if not folder.is_dir():
        raise SystemExit(f"{folder}: no such folder")
    several, single = {}, {}
    for path in sorted(folder.glob("*.safetensors")):
        if path.name.endswith(".vectors.safetensors"):
            continue
        info = engine.info(path)
        name = info["name"]
        found = SINGLE.fullmatch(name)
        if not found and name not in NETWORKS:
            raise SystemExit(f"{path}: '{name}' is neither {', '.join(NETWORKS)} nor one of these with -single-N")
        if info["labels"] != labels:
            raise SystemExit(f"{path}: its labels are not those of the clips: {' '.join(labels)}")
        exits = 1 if found else EXITS
        if len(info["exits"]) != exits:
            raise SystemExit(f"{path}: {len(info['exits'])} exits, not {exits}")
        table, key = (single, (found[1], int(found[2]))) if found else (several, name)
        if key in table:
            raise SystemExit(f"{path} and {table[key][0]} are both named {name}")
        table[key] = path, info
    if not several:
        raise SystemExit(f"{folder}: none of {', '.join(name + '.safetensors' for name in NETWORKS)}")
    return {name: several[name] for name in NETWORKS if name in several}, single


def measure(several, engine, clips, wanted, rounds, frames, say):
    """(us of the front end for a clip of `frames`, {network: Measured}) of the networks with all exits."""
    say("timing each exit")
    frame_us, windows = engine.times_us({name: path for name, (path, _) in several.items()}, rounds)
    front_end_us = frames * frame_us
    measured = {}
    for name, (path, info) in several.items():
        operations = {}
        for delta in DELTAS:
            say(f"{NETWORKS[name].title}, delta {delta}: {len(clips)} clips")
            answers = engine.classify(path, clips, "--delta", delta)
            operations[delta] = counts.Operation(answers, wanted, EXITS)
        measured[name] = Measured(info, counts.exit_accuracies(answers, wanted), operations,
                                  [front_end_us + us for us in windows[name]])
    return front_end_us, measured


def measure_single(single, engine, clips, wanted, say):
    """{(network, exit): accuracy} of the networks that were trained with one exit."""
    accuracies = {}
    for (name, number), (path, _) in single.items():
        say(f"{NETWORKS[name].title} with exit {number} only: {len(clips)} clips")
        accuracies[name, number] = counts.exit_accuracies(engine.classify(path, clips, "--delta", 0), wanted)[0]
    return accuracies
