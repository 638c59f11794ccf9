"""A float network that binary ones learn from: too dear to run, but right more often, and unsure where one may be."""
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from . import paper, training
from .commandnet import CommandNet
from .data import LABELS

NAME = "teacher"  # in a checkpoint's `about`
STEM_CHANNELS = 16
WIDTHS = (32, 64, 128)
BLOCKS = (2, 3, 3)
BANDS = 4  # of 64 after the stem and the sections
SQUEEZE = 4
DROPOUT = 0.3


def _conv_norm(c_in, c_out, kernel, stride=1):
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(c_out))


class Block(nn.Module):
    """ResNet's basic block with squeeze and excitation."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1, self.conv2 = _conv_norm(c_in, c_out, 3, stride), _conv_norm(c_out, c_out, 3)
        self.squeeze, self.excite = nn.Linear(c_out, c_out // SQUEEZE), nn.Linear(c_out // SQUEEZE, c_out)
        self.short = nn.Identity() if c_in == c_out else _conv_norm(c_in, c_out, 1, stride)

    def forward(self, x):
        y = self.conv2(F.relu(self.conv1(x)))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean((2, 3))))))
        return F.relu(self.short(x) + y * gate[:, :, None, None])


class TeacherNet(nn.Module):
    """Input (N, 1, 98, 64), output a list of one exit's logits, as networks with several exits give."""

    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Sequential(_conv_norm(1, STEM_CHANNELS, 3, 2), nn.ReLU(),
                                  _conv_norm(STEM_CHANNELS, WIDTHS[0], 3, 2), nn.ReLU())
        blocks, channels = [], WIDTHS[0]
        for width, count in zip(WIDTHS, BLOCKS):
            for _ in range(count):
                blocks.append(Block(channels, width, 1 if channels == width else 2))
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.dense = nn.Linear(channels * BANDS, classes)
        self.to(memory_format=torch.channels_last)  # faster so

    def forward(self, x):
        pooled = self.blocks(self.stem(x)).mean(dim=2).flatten(1)
        return [self.dense(F.dropout(pooled, DROPOUT, self.training))]

    @staticmethod
    def binary_convs():
        return []


def add_arguments(parser, teach):
    parser.add_argument("--teacher", type=pathlib.Path, help="checkpoint of train_teacher.py, or of a network with several "
                        "exits, whose last exit teaches all exits")
    parser.add_argument("--teach", type=float, default=teach, help=f"weight of the divergence from the teacher (default: {teach})")


def of(args, labels):
    """The teacher that the options name, or None."""
    return load(args.teacher, labels).to(training.device(args.device)) if args.teacher else None


def load(checkpoint, labels):
    """A trained network in evaluation mode, to be asked for its logits: of train_teacher.py, train_commands.py or
    train_paper.py."""
    if not checkpoint.exists():
        raise SystemExit(f"{checkpoint}: no such checkpoint")
    state = torch.load(checkpoint, map_location="cpu")
    about = state.get("about") or {"labels": LABELS}
    if about["labels"] != labels:
        raise SystemExit(f"{checkpoint}: other labels than those to train: {' '.join(about['labels'])}")
    nets = {NAME: TeacherNet, None: CommandNet}
    net = nets[about.get("net")](len(labels)) if about.get("net") in nets else paper.build(about)
    net.load_state_dict(state["net"])
    return net.eval()
