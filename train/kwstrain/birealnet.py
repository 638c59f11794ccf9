"""Bi-Real Net 18 (larq_zoo.literature.BiRealNet) with exits: a float residual stream without any activation but sign."""
from torch import nn

from .backbone import Backbone, PooledHead, WideStem
from .layers import BinaryConv2d, approx_sign
from .same import avg_pool_same, pad_same

EPS = 1e-3
CLIP = 1.0


class Shortcut(nn.Module):
    """Beside a strided convolution: average pool 2x2/2, 1x1, BN."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.point = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_out, eps=EPS)

    def forward(self, x):
        return self.norm(self.point(avg_pool_same(x, 2, 2)))

    def export(self, graph, source, name):
        pad = graph.same(source, 2, 2)
        x = graph.add("avgpool2d", source, f"{name}.pool", kernel=[2, 2], stride=[2, 2], pad=pad)
        return graph.conv(x, name, self.point, self.norm)


class Block(nn.Module):
    """y = shortcut(x) + BN(bconv(sign(x))), padded with 0; with other channels than x at half the rows and bands."""

    def __init__(self, c_in, c_out, latent):
        super().__init__()
        stride = 1 if c_in == c_out else 2
        self.conv = BinaryConv2d(c_in, c_out, stride, CLIP, scaled=True, latent=latent, padding=2 - stride)
        self.norm = nn.BatchNorm2d(c_out, eps=EPS)
        self.shortcut = Shortcut(c_in, c_out) if stride == 2 else None

    def forward(self, x):
        bits = approx_sign(x)
        y = self.norm(self.conv(bits if self.conv.padding else pad_same(bits, 3, self.conv.stride)))
        return y + (x if self.shortcut is None else self.shortcut(x))

    def export(self, graph, maps, name):
        bits = graph.sign(maps, f"{name}.bits")
        residual = maps[0] if self.shortcut is None else self.shortcut.export(graph, maps[0], f"{name}.shortcut")
        return [graph.bconv(bits, name, self.conv, self.norm, pad="same", pad_value=0, residual=residual)]


def birealnet(classes, latent=True, exits=None, widths=(64, 128, 256, 512), blocks=(4, 4, 4, 4), first_exit=2):
    """`first_exit`: blocks of stage 1 before the first exit. The others lie at the ends of the stages. The last has no ReLU,
    as in larq_zoo; the earlier ones do, for the mean of a stream without any is blind to all but the sum."""
    steps, heads = [], {first_exit: PooledHead(widths[0], classes)}
    before = widths[0]
    for width, count in zip(widths, blocks):
        steps += [Block(before if index == 0 else width, width, latent) for index in range(count)]
        heads[len(steps)] = PooledHead(width, classes, relu=width != widths[-1])
        before = width
    return Backbone(WideStem(widths[0], EPS), steps, heads, exits)
