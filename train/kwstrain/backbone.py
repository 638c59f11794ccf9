"""What the four backbones of the paper share: a stem, then steps in a row, and after some of them an exit.

Every part has forward() for PyTorch and export() for the C engine. `export(graph, maps, name)` adds its operations to
the graph (kwstrain.export.Graph) and returns its output's maps: one, or in dense blocks the slices side by side.
"""
import torch
import torch.nn.functional as F
from torch import nn

from .export import Graph
from .layers import BinaryConv2d
from .same import Conv2dSame, max_pool_same


class WideStem(nn.Module):
    """A quarter of the rows and bands: 7x7/2, BN, [ReLU], max pool 3x3/2."""

    def __init__(self, channels, norm_eps, relu=False):
        super().__init__()
        self.conv = Conv2dSame(1, channels, 7, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(channels, eps=norm_eps)
        self.relu = relu

    def forward(self, x):
        x = self.norm(self.conv(x))
        return max_pool_same(F.relu(x) if self.relu else x, 3, 2)

    def export(self, graph, maps, name):
        x = graph.conv(maps[0], f"{name}.conv", self.conv, self.norm, "relu" if self.relu else "none", "same")
        return [graph.max_pool_same(x, name, 3)]


class _Mean(torch.autograd.Function):
    """Over rows and bands, as float32. Autograd's own gradient would be a whole map, and not in channels_last."""

    @staticmethod
    def forward(ctx, x):
        ctx.shape, ctx.dtype = x.shape, x.dtype
        return x.mean((2, 3), dtype=torch.float32)

    @staticmethod
    def backward(ctx, grad):
        rows, bands = ctx.shape[2:]
        return (grad / (rows * bands)).to(ctx.dtype)[:, :, None, None].expand(ctx.shape)


class PooledHead(nn.Module):
    """An exit: [batch norm], [ReLU], mean over time and frequency, dense layer.

    For training the means are standardised, which the file's dense layer contains: those of a shallow exit differ so little
    from clip to clip that bfloat16 hides it, and exits 1 and 2 named every clip `_unknown_`.
    """

    def __init__(self, channels, classes, norm_eps=None, relu=True):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=norm_eps) if norm_eps is not None else None
        self.relu = relu
        self.standard = nn.BatchNorm1d(channels, affine=False)
        self.dense = nn.Linear(channels, classes)

    def forward(self, x):
        if self.norm is not None:
            x = self.norm(x)
        x = F.relu(x) if self.relu else x
        return self.dense(self.standard(_Mean.apply(x)))

    def folded(self):
        """The dense layer for the means as they are."""
        weight = self.dense.weight * (self.standard.running_var + self.standard.eps).rsqrt()
        folded = nn.Linear(self.dense.in_features, self.dense.out_features)
        with torch.no_grad():
            folded.weight.copy_(weight)
            folded.bias.copy_(self.dense.bias - weight @ self.standard.running_mean)
        return folded

    def export(self, graph, maps, name):
        act = "relu" if self.relu else "none"
        if self.norm is not None:
            maps, act = [graph.concat(maps, f"{name}.norm", self.norm, act)], "none"
        return graph.exit(maps[0], name, self.folded(), "all", act)


class Backbone(nn.Module):
    """Input (N, 1, rows, bands), output a list with the logits of each exit. `heads`: number of steps before it -> head.
    `exits`: numbers of those to keep, from 1; None keeps all. The network ends with the last of them."""

    def __init__(self, stem, steps, heads, exits=None):
        super().__init__()
        places = sorted(heads)
        kept = [places[number - 1] for number in sorted(exits)] if exits else places
        self.stem, self.steps = stem, nn.ModuleList(steps[: kept[-1]])
        self.heads = nn.ModuleDict({str(count): heads[count] for count in kept})
        self.to(memory_format=torch.channels_last)  # pools, batch norms and small maps are faster so

    def forward(self, x):
        logits = []
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        for count, step in enumerate(self.steps, 1):
            x = step(x)
            if str(count) in self.heads:
                logits.append(self.heads[str(count)](x))
        return logits

    def binary_convs(self):
        return [module for module in self.modules() if isinstance(module, BinaryConv2d)]

    def graph(self, rows=98, bands=64):
        """The network in evaluation mode as the operations and tensors of a model file."""
        graph = Graph(rows, bands, 1)
        maps = self.stem.export(graph, ["input"], "stem")
        for count, step in enumerate(self.steps, 1):
            maps = step.export(graph, maps, f"step{count}")
            if str(count) in self.heads:
                self.heads[str(count)].export(graph, maps, f"exit{list(self.heads).index(str(count)) + 1}")
        return graph
