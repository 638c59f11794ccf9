"""Where in its recording each wake word is spoken: by energy, and by a trained network where energy cannot tell."""
import csv
import pathlib

import numpy as np

from .data import RATE

BLOCK = RATE // 100
ALIGNMENT = pathlib.Path(__file__).parents[1] / "wakewords-alignment.tsv"
FLOOR_DB = 30.0      # a word begins and ends this far below its loudest moment ...
FLOOR_SHARE = 0.3    # ... or at this share of the way from the quietest to the loudest, whichever is louder
GAP_BLOCKS = 25      # a shorter pause is within a word
LONGEST_S = 1.35     # of these words; what is longer is more than the word


def loud_parts(samples):
    """[(first, end)] in samples of the parts between pauses, and their energies; int16 in."""
    blocks = samples[: len(samples) // BLOCK * BLOCK].astype(np.float32).reshape(-1, BLOCK)
    power = np.convolve((blocks**2).mean(axis=1) + 0.1, np.ones(5) / 5, "same")
    level = 10 * np.log10(power)
    quiet, peak = np.percentile(level, 10), level.max()
    loud = np.flatnonzero(level > max(quiet + FLOOR_SHARE * (peak - quiet), peak - FLOOR_DB))
    breaks = np.flatnonzero(np.diff(loud) > GAP_BLOCKS)
    firsts, lasts = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]]
    parts = [(int(first) * BLOCK, (int(last) + 1) * BLOCK) for first, last in zip(firsts, lasts)]
    return parts, [float(power[first : last + 1].sum()) for first, last in zip(firsts, lasts)]


def align(samples):
    """(start, end, sure) of the word in samples: the part with most energy."""
    parts, energies = loud_parts(samples)
    start, end = parts[int(np.argmax(energies))]
    return start, end, len(parts) == 1 and end - start <= LONGEST_S * RATE


def read_alignment(path=ALIGNMENT):
    """{path of the clip: (start_s, end_s, criterion)}"""
    with open(path, newline="", encoding="utf-8") as file:
        return {row["path"]: (float(row["start_s"]), float(row["end_s"]), row["by"]) for row in csv.DictReader(file, delimiter="\t")}


def write_alignment(rows, path=ALIGNMENT):
    """`rows`: (path, start_s, end_s, criterion)"""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["path", "start_s", "end_s", "by"])
        writer.writerows((clip, f"{start:.2f}", f"{end:.2f}", by) for clip, start, end, by in rows)
