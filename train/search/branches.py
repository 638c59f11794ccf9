"""Branches as PyTorch modules, and their training on a frozen backbone.

On a frozen backbone a branch's training does not depend on the other branches, so each is trained once and
remembered: an architecture is then a choice of branches whose answers are known."""
import math

import torch
import torch.nn.functional as F
from torch import nn

from kwstrain.commandnet import BLOCKS, WIDTHS
from kwstrain.layers import STE_CLIP, sign
from kwstrain.training import distillation, latent_adam
from search.space import Branch

BANDS = 16  # after the stem; each transition halves them


def section_of(position):
    """The section of the block that `position` blocks end with."""
    for section, count in enumerate(BLOCKS):
        if position <= count:
            return section
        position -= count
    raise ValueError("no such block")


class Module(nn.Module):
    """BN(PReLU(bconv(sign(x + shift)))), stride 2 in frequency, padded there with +1, valid in time."""

    def __init__(self, c_in, c_out, kernel):
        super().__init__()
        self.kernel = kernel
        self.shift = nn.Parameter(torch.zeros(c_in))
        self.weight = nn.Parameter(torch.empty(c_out, c_in, kernel, kernel).uniform_(-1, 1))
        self.slope = nn.Parameter(torch.full((c_out,), 0.25))
        self.norm = nn.BatchNorm2d(c_out, eps=1e-5)

    def forward(self, x):
        side = self.kernel // 2
        bits = F.pad(sign(x + self.shift.view(1, -1, 1, 1)), (side, side, 0, 0), value=1.0)
        return self.norm(F.prelu(F.conv2d(bits, sign(self.weight), stride=(1, 2)), self.slope))


class BranchNet(nn.Module):
    """(N, channels, rows, bands) of a block's output to logits."""

    def __init__(self, branch, classes):
        super().__init__()
        section = section_of(branch.position)
        channels, bands = WIDTHS[section], BANDS >> section
        self.convs = nn.ModuleList()
        for _ in range(branch.modules):
            self.convs.append(Module(channels, branch.width, branch.kernel))
            channels, bands = branch.width, (bands + 1) // 2
        self.pool = branch.pool
        self.dense = nn.Linear(channels * (bands if branch.pool == "time" else 1), classes)

    def forward(self, x):
        for conv in self.convs:
            x = conv(x)
        x = F.relu(x)
        if self.pool == "all":
            return self.dense(x.mean(dim=(2, 3)))
        return self.dense(x.mean(dim=2).transpose(1, 2).flatten(1))

    def clip(self):
        with torch.no_grad():
            for conv in self.convs:
                conv.weight.clamp_(-STE_CLIP, STE_CLIP)


def kept_branches(backbone, classes):
    """The exits that the backbone was trained with, but the last, as branches: {branch: net}."""
    found = {}
    for position, head in backbone.heads.items():
        if int(position) < sum(BLOCKS):
            branch = Branch(int(position), 0, 0, 0, "time")
            found[branch] = BranchNet(branch, classes)
            found[branch].dense.load_state_dict(head.dense.state_dict())
    return found


class Branches(nn.ModuleList):
    """Branches that are trained together."""

    def binary_convs(self):
        return [conv for net in self for conv in net.convs]


def optimiser_of(nets, lr_binary=5e-3, lr=2e-3):
    return latent_adam(Branches(nets), lr_binary, lr)[0]


def cosine(optimiser, steps):
    return torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / steps, 1))))


def step(nets, inputs, labels, teacher, optimiser, schedule, distil):
    """One step of several branches at once; `inputs` are their inputs."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = [net(x) for net, x in zip(nets, inputs)]
    loss = sum(F.cross_entropy(z.float(), labels) + distil * distillation(z.float(), teacher) for z in logits)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()
    for net in nets:
        net.clip()
    return loss.item()
