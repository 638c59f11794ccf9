"""BinaryDenseNet-28 and MeliusNet-22 (larq_zoo.literature) with exits.

A layer reads all channels before it through batch norm and sign, and appends the sums of its convolution as they are.
So all but the first channels of a section are integers, and batch norm and sign a threshold for each.
"""
import torch
import torch.nn.functional as F
from torch import nn

from .backbone import Backbone, PooledHead, WideStem
from .layers import BinaryConv2d, sign
from .same import Conv2dSame, max_pool_same

EPS = 1e-5
CLIP = 1.3


class GroupedStem(nn.Module):
    """A quarter of the rows and bands: 3x3/2, two grouped 3x3, BN and ReLU after each, max pool 2x2/2."""

    def __init__(self, channels, groups):
        super().__init__()
        sizes = zip((1, *channels), channels, (2, 1, 1), (1, *groups))
        self.convs = nn.ModuleList([Conv2dSame(c_in, c_out, 3, stride=stride, groups=count, bias=False)
                                    for c_in, c_out, stride, count in sizes])
        self.norms = nn.ModuleList([nn.BatchNorm2d(c, eps=EPS) for c in channels])

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = F.relu(norm(conv(x)))
        return max_pool_same(x, 2, 2)

    def export(self, graph, maps, name):
        x = maps[0]
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms), 1):
            x = graph.conv(x, f"{name}.{index}", conv, norm, "relu", "same")
        return [graph.max_pool_same(x, name, 2)]


class SignConv(nn.Module):
    """bconv(sign(BN(x))), padded with 0: whole numbers."""

    def __init__(self, c_in, c_out, latent):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in, eps=EPS)
        self.conv = BinaryConv2d(c_in, c_out, clip=CLIP, latent=latent, padding=1)

    def forward(self, x):
        return self.conv(sign(self.norm(x), CLIP))

    def export(self, graph, maps, name, **attributes):
        bits = graph.sign(maps, f"{name}.bits", self.norm)
        return graph.bconv_integers(bits, name, self.conv, pad_value=0, **attributes)


class DenseLayer(nn.Module):
    """Appends `growth` channels."""

    def __init__(self, c_in, growth, latent):
        super().__init__()
        self.dense = SignConv(c_in, growth, latent)

    def forward(self, x):
        return torch.cat([x, self.dense(x)], 1)

    def export(self, graph, maps, name):
        return maps + [self.dense.export(graph, maps, name)]


class MeliusBlock(nn.Module):
    """Appends `growth` channels, then improves them: adds a convolution over all channels to these last ones."""

    def __init__(self, c_in, growth, latent):
        super().__init__()
        self.dense = SignConv(c_in, growth, latent)
        self.improvement = SignConv(c_in + growth, growth, latent)

    def forward(self, x):
        y = self.dense(x)
        return torch.cat([x, y + self.improvement(torch.cat([x, y], 1))], 1)

    def export(self, graph, maps, name):
        dense = self.dense.export(graph, maps, f"{name}.dense")
        return maps + [self.improvement.export(graph, maps + [dense], name, residual=dense)]


class Transition(nn.Module):
    """BN, max pool 2x2/2 (SAME, or VALID), ReLU, 1x1."""

    def __init__(self, c_in, c_out, same):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in, eps=EPS)
        self.point = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.same = same

    def forward(self, x):
        x = self.norm(x)
        return self.point(F.relu(max_pool_same(x, 2, 2) if self.same else F.max_pool2d(x, 2)))

    def export(self, graph, maps, name):
        x = graph.concat(maps, f"{name}.norm", self.norm)
        pad = graph.same(x, 2, 2) if self.same else [0, 0, 0, 0]
        x = graph.add("maxpool2d", x, f"{name}.pool", kernel=[2, 2], stride=[2, 2], pad=pad, act="relu")
        return [graph.conv(x, name, self.point)]


class _Builder:
    """Steps and heads of a dense net: sections of layers that each append `growth` channels."""

    def __init__(self, classes, channels, growth, first_exit):
        self.classes, self.channels, self.growth, self.first_exit = classes, channels, growth, first_exit
        self.steps, self.heads = [], {}

    def head(self):
        self.heads[len(self.steps)] = PooledHead(self.channels, self.classes, EPS)

    def section(self, layer, count, latent):
        """Exits at its end, and in section 1 after `first_exit` layers."""
        for _ in range(count):
            self.steps.append(layer(self.channels, self.growth, latent))
            self.channels += self.growth
            if len(self.steps) == self.first_exit:
                self.head()
        self.head()

    def transition(self, channels, same):
        self.steps.append(Transition(self.channels, channels, same))
        self.channels = channels


def binarydensenet(classes, latent=True, exits=None, stem=64, growth=64, layers=(6, 6, 6, 5),
                   transitions=(160, 192, 256), first_exit=3):
    """`transitions`: channels after sections 1, 2, 3; those of 28 layers follow from reductions of 2.7, 2.7, 2.2."""
    build = _Builder(classes, stem, growth, first_exit)
    for section, count in enumerate(layers):
        if section > 0:
            build.transition(transitions[section - 1], same=False)
        build.section(DenseLayer, count, latent)
    return Backbone(WideStem(stem, EPS, relu=True), build.steps, build.heads, exits)


def meliusnet(classes, latent=True, exits=None, stem=(32, 32, 64), groups=(4, 8), growth=64, blocks=(4, 5, 4, 4),
              transitions=(160, 224, 256), first_exit=2):
    build = _Builder(classes, stem[-1], growth, first_exit)
    for section, count in enumerate(blocks):
        if section > 0:
            build.transition(transitions[section - 1], same=True)
        build.section(MeliusBlock, count, latent)
    return Backbone(GroupedStem(stem, groups), build.steps, build.heads, exits)
