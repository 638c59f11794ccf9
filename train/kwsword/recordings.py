"""The user's own recordings: where the phrase is in them."""
import numpy as np

from kwstrain.data import RATE, decode

from . import sounds

BLOCK = RATE // 100
ABOVE_FLOOR_DB, BELOW_PEAK_DB = 10, 30
BRIDGE_S = 0.2  # a pause within a phrase
MARGIN_S = 0.03
SHORTEST_S, LONGEST_S = 0.15, 1.5


def _runs(loud):
    """(begin, end) of what is loud, pauses bridged, in blocks."""
    at = np.flatnonzero(loud)
    if len(at) == 0:
        return []
    breaks = np.flatnonzero(np.diff(at) > BRIDGE_S * 100)
    return list(zip(at[np.concatenate([[0], breaks + 1])], at[np.concatenate([breaks, [len(at) - 1]])] + 1))


def find(samples):
    """(begin, end) of the stretch with most energy, or None where nothing stands out for as long as a phrase takes."""
    if len(samples) < SHORTEST_S * RATE:
        return None
    power = np.square(samples[: len(samples) // BLOCK * BLOCK].astype(np.float64)).reshape(-1, BLOCK).mean(axis=1) + 1
    floor, peak = np.percentile(power, 10), power.max(initial=1)
    loud = power > min(max(floor * 10 ** (ABOVE_FLOOR_DB / 10), peak * 10 ** (-BELOW_PEAK_DB / 10)), peak / 4)
    runs = [run for run in _runs(loud) if SHORTEST_S * 100 <= run[1] - run[0] <= LONGEST_S * 100]
    if not runs:
        return None
    begin, end = max(runs, key=lambda run: power[run[0] : run[1]].sum())
    margin = int(MARGIN_S * RATE)
    return max(begin * BLOCK - margin, 0), min(end * BLOCK + margin, len(samples))


def phrases_in(folder):
    """The phrase of each recording, int16; tells of those in which none was found."""
    found = []
    for path in sounds.recordings_in(folder):
        samples = decode(path)
        where = find(samples)
        if where is None:
            print(f"{path}: no single phrase of {SHORTEST_S} to {LONGEST_S} s stands out in it; left out")
        else:
            found.append(samples[where[0] : where[1]])
    if not found:
        raise SystemExit(f"{folder}: no recording in which a phrase was found")
    return found


def thirds(phrases, rng):
    """(to train with, to judge with); with fewer than three there is nothing to judge with."""
    order = list(range(len(phrases)))
    rng.shuffle(order)
    held = len(phrases) // 3
    return [phrases[i] for i in order[held:]], [phrases[i] for i in order[:held]]
