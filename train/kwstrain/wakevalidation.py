"""Windows of recordings never trained on, for a glance at each epoch; ./dev eval-wake measures for real."""
import pathlib

import numpy as np
import torch

from .augment import from_16_bit
from .data import RATE, WAKE_WORDS, Clips, read_list
from .features import FrontEnd
from .validation import logits
from .wakesampler import LABELS, SILENCE, UNKNOWN
from .wakewords import read_alignment

AFTER_S = 0.12       # the windows of a word end this long after it
SPEECH_STEP_S = 2.5  # between two windows of the read sentences


def _windows(root, cache):
    """Yields (one second of int16, label)."""
    def clips(name):
        rows = [row for row in read_list(root / f"{name}.tsv") if row["split"] == "val"]
        return rows, Clips(f"val-{name}", [root / row["path"] for row in rows], cache)

    alignment = read_alignment()
    rows, audio = clips("wakewords")
    for row, samples in zip(rows, audio):
        end = int((alignment[row["path"]][1] + AFTER_S) * RATE)
        yield np.pad(samples, (RATE, RATE))[end : end + RATE], WAKE_WORDS.index(row["word"])
    _, audio = clips("speech")
    for i in range(len(audio)):
        for start in range(0, len(audio[i]) - RATE, int(SPEECH_STEP_S * RATE)):
            yield audio[i][start : start + RATE], UNKNOWN
    _, audio = clips("noise")
    for i in range(len(audio)):
        if len(audio[i]) >= RATE:
            yield audio[i][:RATE], SILENCE


def wake_validation(root, cache):
    return WakeValidation(pathlib.Path(root), cache)


class WakeValidation:
    def __init__(self, root, cache):
        front_end = FrontEnd()
        windows, labels = zip(*_windows(root, cache))
        self.features = torch.from_numpy(np.stack([front_end.clip(from_16_bit(w)) for w in windows]))[:, None]
        self.labels = torch.tensor(labels)

    def describe(self, net):
        """Words found in %, by exit, and of the last exit by word; how many other windows pass for a word at 0.9."""
        exits = [z.softmax(1) for z in logits(net, self.features)]
        spoken = self.labels < UNKNOWN
        found = [100 * (p.argmax(1) == self.labels)[spoken].float().mean().item() for p in exits]
        wrong = [(p[~spoken, :UNKNOWN].max(1).values > 0.9).sum().item() for p in exits]
        right = exits[-1].argmax(1) == self.labels
        words = [f"{name}:{100 * right[self.labels == i].float().mean().item():.0f}" for i, name in enumerate(LABELS)]
        return (" ".join(f"{a:.1f}" for a in found) + "  " + " ".join(words)
                + f"  alarms of {int((~spoken).sum())}: " + " ".join(map(str, wrong)))
