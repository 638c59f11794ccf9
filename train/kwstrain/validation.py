"""The val split as features: every row of commands.tsv, and val noise as `_silence_`."""
import pathlib

import numpy as np
import torch

from .data import HELD_OUT, KEYWORDS, LABELS, SILENCE, UNKNOWN, Clips, read_list
from .features import FrontEnd


def rows(root):
    """(path, label, word) of every clip that the command model is judged on."""
    root = pathlib.Path(root)
    found = [(root / r["path"], LABELS.index(r["word"]) if r["word"] in KEYWORDS else UNKNOWN, r["word"])
             for r in read_list(root / "commands.tsv") if r["split"] == "val"]
    return found + [(root / r["path"], SILENCE, "_silence_") for r in read_list(root / "noise.tsv") if r["split"] == "val"]


class Validation:
    def __init__(self, root, cache):
        listed = rows(root)
        clips = Clips("val-judged", [path for path, _, _ in listed], cache)
        front_end = FrontEnd()
        self.features = torch.from_numpy(np.stack(
            [front_end.clip(clips[i].astype(np.float32) / 32768) for i in range(len(clips))]))[:, None]
        self.labels = torch.tensor([label for _, label, _ in listed])
        self.words = [word for _, _, word in listed]

    def logits(self, net):
        """Per exit, (clips, classes)."""
        net.eval()
        with torch.no_grad():
            parts = [net(part) for part in self.features.split(128)]
        return [torch.cat(exit_parts) for exit_parts in zip(*parts)]

    def report(self, net):
        """Accuracy per exit in %, and the last exit's accuracy per label."""
        logits = self.logits(net)
        per_exit = [100 * (z.argmax(1) == self.labels).float().mean().item() for z in logits]
        right = logits[-1].argmax(1) == self.labels
        per_label = {name: 100 * right[self.labels == i].float().mean().item() for i, name in enumerate(LABELS)}
        unseen = torch.tensor([word in HELD_OUT for word in self.words])
        return per_exit, per_label, 100 * right[unseen].float().mean().item() if unseen.any() else float("nan")
