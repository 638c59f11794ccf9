"""Binary layers: sign with a straight-through gradient, binary convolution, residual block."""
import torch
import torch.nn.functional as F
from torch import nn

STE_CLIP = 1.25  # QuickNet's SteSign: the gradient passes where |x| <= 1.25


class _Sign(torch.autograd.Function):
    """sign(0) = +1, also for -0.0, as in the C engine."""

    @staticmethod
    def forward(ctx, x, dtype):
        ctx.save_for_backward(x)
        return x.ge(0).to(dtype).mul_(2).sub_(1)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        # one fused kernel for grad * (|x| < clip)
        grad = grad.to(x.dtype)
        return torch.ops.aten.hardtanh_backward(grad, x, -STE_CLIP, STE_CLIP), None


def sign(x):
    """+-1; under autocast already in the type that the convolution wants (both are exact)."""
    autocast = torch.is_autocast_enabled() or torch.is_autocast_cpu_enabled()
    return _Sign.apply(x, torch.bfloat16 if autocast else x.dtype)


class BinaryConv2d(nn.Module):
    """3x3 convolution of +-1 weights over +-1 inputs: valid in time, padded with +1 in frequency."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(c_out, c_in, 3, 3).uniform_(-1, 1))

    def forward(self, x):
        return F.conv2d(F.pad(x, (1, 1, 0, 0), value=1.0), sign(self.weight))

    def clip(self):
        """To call after each optimiser step: a latent weight outside would never flip again."""
        with torch.no_grad():
            self.weight.clamp_(-STE_CLIP, STE_CLIP)


class BinaryBlock(nn.Module):
    """y = crop(x) + BN(PReLU(bconv(sign(x + shift)))): one row of time is lost on either side."""

    def __init__(self, channels):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.conv = BinaryConv2d(channels, channels)
        self.slope = nn.Parameter(torch.full((channels,), 0.25))
        self.norm = nn.BatchNorm2d(channels, eps=1e-5)

    def forward(self, x):
        y = self.conv(sign(x + self.shift.view(1, -1, 1, 1)))
        y = self.norm(F.prelu(y, self.slope))
        return x[:, :, 1:-1] + y


class Head(nn.Module):
    """ReLU, mean over time, dense over (frequency, channel): where in the spectrum matters."""

    def __init__(self, channels, bands, classes):
        super().__init__()
        self.dense = nn.Linear(bands * channels, classes)

    def forward(self, x):
        pooled = F.relu(x).mean(dim=2)  # N, C, F
        return self.dense(pooled.transpose(1, 2).flatten(1))
