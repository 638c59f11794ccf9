"""Random networks that behave like trained ones: for benchmarks and for tests of the exporter."""
import torch
from torch import nn

from .paper import BACKBONES

NEGATIVE, ZERO = 0.2, 0.05  # shares of the batch norms' scales


# Backbones with few channels: rows and bands of the input, and sizes
TINY = {
    "quicknet": ((21, 18), {"widths": (20, 36, 40), "blocks": (2, 1, 1), "stem": 6, "first_exit": 1}),
    "birealnet": ((23, 17), {"widths": (24, 33), "blocks": (2, 2), "first_exit": 1}),
    "binarydensenet": ((22, 19), {"stem": 20, "growth": 24, "layers": (3, 2), "transitions": (40,), "first_exit": 2}),
    "meliusnet": ((21, 14), {"stem": (8, 8, 16), "growth": 20, "blocks": (2, 2), "transitions": (36,), "first_exit": 1}),
}


def windows(count, rows, bands, seed):
    """Random windows that change slowly over time, as log-mel features do. (count, 1, rows, bands)."""
    generator = torch.Generator().manual_seed(seed)
    return (0.7 * torch.randn(count, 1, rows, bands, generator=generator)).cumsum(2).clamp_(-2.5, 3.3)


def randomise(net, rows=98, bands=64, seed=1):
    """Random batch norms, whose statistics are those of random windows; leaves the network in evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    norms = [module for module in net.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        if norm.affine:
            with torch.no_grad():
                kind = torch.rand(norm.weight.shape, generator=generator)
                scale = 0.5 + torch.rand(norm.weight.shape, generator=generator)
                norm.weight.copy_(torch.where(kind < NEGATIVE, -scale, scale) * (kind < 1 - ZERO))
                norm.bias.copy_(0.3 * torch.randn(norm.bias.shape, generator=generator))
    net.train()
    with torch.no_grad():
        net(windows(8, rows, bands, seed))
    return net.eval()


def full(name, classes, seed=1):
    """A backbone of the paper with random weights, of full size."""
    torch.manual_seed(seed)
    return randomise(BACKBONES[name](classes), seed=seed)


def tiny(name, seed=1):
    """(a backbone with few channels and three classes, (rows, bands) of its input)"""
    (rows, bands), sizes = TINY[name]
    torch.manual_seed(seed)
    return randomise(BACKBONES[name](3, **sizes), rows, bands, seed), (rows, bands)
