"""QuickNet (larq_zoo.sota.QuickNet) with exits: a float residual stream, convolution, ReLU, batch norm."""
import torch
import torch.nn.functional as F
from torch import nn

from .backbone import Backbone, PooledHead
from .layers import BinaryConv2d, sign
from .same import Conv2dSame, pad_same

EPS = 1e-5
STEM_EPS = 1e-3


class Stem(nn.Module):
    """A quarter of the rows and bands: 3x3/2, BN, ReLU, depthwise 3x3/2, BN without scale and shift, 1x1, BN."""

    def __init__(self, channels, out):
        super().__init__()
        self.conv = Conv2dSame(1, channels, 3, stride=2, bias=False)
        self.norm1 = nn.BatchNorm2d(channels, eps=STEM_EPS)
        self.depthwise = Conv2dSame(channels, channels, 3, stride=2, groups=channels, bias=False)
        self.norm2 = nn.BatchNorm2d(channels, eps=STEM_EPS, affine=False)
        self.point = nn.Conv2d(channels, out, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(out, eps=STEM_EPS)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv(x)))
        return self.norm3(self.point(self.norm2(self.depthwise(x))))

    def export(self, graph, maps, name):
        x = graph.conv(maps[0], f"{name}.1", self.conv, self.norm1, "relu", "same")
        x = graph.conv(x, f"{name}.2", self.depthwise, self.norm2, pad="same")
        return [graph.conv(x, f"{name}.3", self.point, self.norm3)]


class Block(nn.Module):
    """y = x + BN(ReLU(bconv(sign(x)))), padded with +1."""

    def __init__(self, channels, latent):
        super().__init__()
        self.conv = BinaryConv2d(channels, channels, latent=latent)
        self.norm = nn.BatchNorm2d(channels, eps=EPS)

    def forward(self, x):
        return x + self.norm(F.relu(self.conv(pad_same(sign(x), 3, 1, 1.0))))

    def export(self, graph, maps, name):
        bits = graph.sign(maps, f"{name}.bits")
        return [graph.bconv(bits, name, self.conv, self.norm, pad="same", act="relu", pad_value=1, residual=maps[0])]


class Transition(nn.Module):
    """ReLU, max pool 2x2 stride 1, fixed blur 3x3 stride 2, 1x1, BN."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.blur = Conv2dSame(c_in, c_in, 3, stride=2, groups=c_in, bias=False)
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.blur.weight = nn.Parameter(line.outer(line).repeat(c_in, 1, 1, 1), requires_grad=False)
        self.point = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_out, eps=EPS)

    def forward(self, x):
        return self.norm(self.point(self.blur(F.max_pool2d(F.relu(x), 2, stride=1))))

    def export(self, graph, maps, name):
        x = graph.add("maxpool2d", maps[0], f"{name}.pool", kernel=[2, 2], stride=[1, 1], act="relu")
        x = graph.conv(x, f"{name}.blur", self.blur, pad="same")
        return [graph.conv(x, name, self.point, self.norm)]


def quicknet(classes, latent=True, exits=None, widths=(64, 128, 256, 512), blocks=(4, 4, 4, 4), stem=16,
             first_exit=2):
    """`first_exit`: blocks of section 1 before the first exit. The others lie at the ends of the sections."""
    steps, heads = [], {first_exit: PooledHead(widths[0], classes)}
    for section, (width, count) in enumerate(zip(widths, blocks)):
        if section > 0:
            steps.append(Transition(widths[section - 1], width))
        steps += [Block(width, latent) for _ in range(count)]
        heads[len(steps)] = PooledHead(width, classes)
    return Backbone(Stem(stem, widths[0]), steps, heads, exits)
