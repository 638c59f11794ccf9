"""Clips never trained on, as features, and what a network makes of them."""
import numpy as np
import torch

from .augment import from_16_bit
from .data import HELD_OUT, LABELS, Clips, rows
from .features import FrontEnd


def command_validation(root, cache):
    return clip_validation(rows(root), LABELS, cache)


def clip_validation(listed, names, cache, fit=lambda samples: samples):
    """`listed` as rows() gives it; `names` of the labels; `fit` makes one second of a clip that is not."""
    clips = Clips("val-judged", [path for path, _, _ in listed], cache)
    front_end = FrontEnd()
    features = np.stack([front_end.clip(fit(from_16_bit(clips[i]))) for i in range(len(clips))])
    return Validation(features, [label for _, label, _ in listed], [word for _, _, word in listed], names)


def logits(net, features):
    """Per exit, (clips, classes), on the CPU wherever the network is."""
    net.eval()
    device = next(net.parameters()).device
    with torch.no_grad():
        parts = [[z.cpu() for z in net(part.to(device))] for part in features.split(128)]
    return [torch.cat(exit_parts) for exit_parts in zip(*parts)]


class Validation:
    def __init__(self, features, labels, words, names):
        """`features` (clips, 98, 64); `names` of the labels."""
        self.features, self.labels = torch.from_numpy(features)[:, None], torch.tensor(labels)
        self.words, self.names = words, names

    def report(self, net):
        """Accuracy per exit in %, the last exit's accuracy per label, and that over words kept out of training: over those
        of HELD_OUT that are no labels themselves."""
        exits = logits(net, self.features)
        per_exit = [100 * (z.argmax(1) == self.labels).float().mean().item() for z in exits]
        right = exits[-1].argmax(1) == self.labels
        per_label = {name: 100 * right[self.labels == i].float().mean().item() for i, name in enumerate(self.names)}
        unseen = torch.tensor([word in HELD_OUT and word not in self.names for word in self.words])
        return per_exit, per_label, 100 * right[unseen].float().mean().item() if unseen.any() else float("nan")

    def describe(self, net):
        """The report in one line."""
        per_exit, per_label, unseen = self.report(net)
        shown = sorted(per_label.items(), key=lambda item: item[1])[:12] if len(per_label) > 12 else per_label.items()
        return (" ".join(f"{a:.1f}" for a in per_exit) + "  " + " ".join(f"{name}:{a:.0f}" for name, a in shown)
                + (f"  unseen:{unseen:.0f}" if unseen == unseen else ""))
