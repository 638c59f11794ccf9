"""Binary layers: signs with surrogate gradients, binary convolution, and the command network's block and head."""
import functools

import torch
import torch.nn.functional as F
from torch import nn

from .pointwise import crop, prelu

STE_CLIP = 1.25  # QuickNet's SteSign: the gradient passes where |x| <= 1.25


# Up to so many positions of its output a 3x3 convolution is faster on a CPU as one matrix product.
PRODUCT_POSITIONS = 32


def _signs(x, dtype):
    """sign(0) = +1, also for -0.0, which adding 0 makes +0, as in the C engine."""
    y = x + 0
    return torch.copysign(y.new_ones(()), y, out=y).to(dtype)


@functools.lru_cache
def _bfloat16_above(clip):
    """The smallest bfloat16 that is greater."""
    bits = torch.tensor(clip).view(torch.int32) >> 16
    return ((bits + 1) << 16).view(torch.float32).item()


def _pass_within(grad, x, clip):
    """The gradient where |x| <= clip, with kernels that have vectors: hardtanh's has none for bfloat16, and threshold's
    passes where t > threshold."""
    if x.dtype == torch.bfloat16:
        return torch.ops.aten.threshold_backward(grad.to(x.dtype), x.abs().neg_(), -_bfloat16_above(clip))
    return torch.ops.aten.hardtanh_backward(grad.to(x.dtype), x, -clip, clip)


class _SteSign(torch.autograd.Function):
    """The gradient is that of the identity within the clip."""

    @staticmethod
    def forward(ctx, x, dtype, clip):
        ctx.save_for_backward(x)
        ctx.clip = clip
        return _signs(x, dtype)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return _pass_within(grad, x, ctx.clip), None, None


class _ApproxSign(torch.autograd.Function):
    """Bi-Real Net's: the gradient is 2 - 2 |x| for |x| <= 1."""

    @staticmethod
    def forward(ctx, x, dtype):
        ctx.save_for_backward(x)
        return _signs(x, dtype)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad.to(x.dtype) * (2 - 2 * x.abs()).clamp_(min=0), None


def _sign_type(x):
    """Under autocast already the type that the convolution wants: +-1 is exact in each."""
    if x.is_cuda:
        return torch.get_autocast_gpu_dtype() if torch.is_autocast_enabled() else x.dtype
    return torch.get_autocast_cpu_dtype() if torch.is_autocast_cpu_enabled() else x.dtype


def sign(x, clip=STE_CLIP):
    return _SteSign.apply(x, _sign_type(x), clip)


def approx_sign(x):
    return _ApproxSign.apply(x, _sign_type(x))


def _patches(x, stride):
    """The 3x3 patches of x (N, C, rows, bands) as a matrix: a row for each position, its columns (rows, bands, C)."""
    x = x.permute(0, 2, 3, 1).contiguous()  # nothing to do in channels_last
    batch, rows, bands, channels = x.shape
    rows, bands = (rows - 3) // stride + 1, (bands - 3) // stride + 1
    steps = x.stride()
    patches = x.as_strided((batch, rows, bands, 3, 3, channels), (steps[0], stride * steps[1], stride * steps[2], *steps[1:]))
    return patches.reshape(batch * rows * bands, 9 * channels), rows, bands


class _ProductConv(torch.autograd.Function):
    """A 3x3 convolution without padding as a matrix product, and so is the gradient of its weights."""

    @staticmethod
    def forward(ctx, x, weight, stride):
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        patches, rows, bands = _patches(x, stride)
        y = patches @ weight.permute(0, 2, 3, 1).reshape(len(weight), -1).t()
        return y.view(len(x), rows, bands, len(weight)).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        grad = grad.to(x.dtype)
        grad_x, _, _ = torch.ops.aten.convolution_backward(grad, x, weight, None, [ctx.stride] * 2, [0, 0], [1, 1], False,
                                                           [0, 0], 1, [True, False, False])
        patches, _, _ = _patches(x, ctx.stride)
        grad_weight = grad.permute(0, 2, 3, 1).reshape(-1, len(weight)).t() @ patches
        return grad_x, grad_weight.view(len(weight), 3, 3, x.shape[1]).permute(0, 3, 1, 2), None


def _convolve(x, weight, stride, padding):
    """A 3x3 convolution, padded with `padding` zeros on each side."""
    rows, bands = ((extent + 2 * padding - 3) // stride + 1 for extent in x.shape[2:])
    if x.is_cuda or rows * bands > PRODUCT_POSITIONS or not torch.is_grad_enabled():
        return F.conv2d(x, weight, stride=stride, padding=padding)
    return _ProductConv.apply(F.pad(x, [padding] * 4), weight.to(x.dtype), stride)


class BinaryConv2d(nn.Module):
    """3x3 convolution of +-1 weights over +-1 inputs, with `padding` zeros on each side or padded by the caller.

    `latent` weights are real and take part as their signs, with the gradient of SteSign(clip). Without, the weight
    itself is +-1 and kwstrain.bop.Bop flips it. `scaled` multiplies each output by the mean magnitude of its latent
    weights (Bi-Real Net's magnitude-aware sign; no gradient through the mean).
    """

    def __init__(self, c_in, c_out, stride=1, clip=STE_CLIP, scaled=False, latent=True, padding=0):
        super().__init__()
        self.padding = padding
        self.stride, self.clip_at, self.latent, self.scaled = stride, clip, latent, scaled and latent
        weight = torch.empty(c_out, c_in, 3, 3).uniform_(-1, 1)
        self.weight = nn.Parameter(weight if latent else _signs(weight, weight.dtype))

    def forward(self, x):
        weight = sign(self.weight, self.clip_at) if self.latent else self.weight
        y = _convolve(x, weight, self.stride, self.padding)
        return y * self.scale().detach().view(1, -1, 1, 1) if self.scaled else y

    def scale(self):
        """Per output, the factor of the sum of +-1 products."""
        return self.weight.abs().mean((1, 2, 3)) if self.scaled else self.weight.new_ones(len(self.weight))

    def clip(self):
        """To call after each optimiser step: a latent weight outside would never flip again."""
        with torch.no_grad():
            self.weight.clamp_(-self.clip_at, self.clip_at)


class BinaryBlock(nn.Module):
    """y = crop(x) + BN(PReLU(bconv(sign(x + shift)))): padded with +1 in frequency, one row of time lost on either side."""

    def __init__(self, channels):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels))
        self.conv = BinaryConv2d(channels, channels)
        self.slope = nn.Parameter(torch.full((channels,), 0.25))
        self.norm = nn.BatchNorm2d(channels, eps=1e-5)

    def forward(self, x):
        y = self.conv(F.pad(sign(x + self.shift.view(1, -1, 1, 1)), (1, 1, 0, 0), value=1.0))
        y = self.norm(prelu(y, self.slope))
        return crop(x) + y


class Head(nn.Module):
    """ReLU, mean over time, dense over (frequency, channel): where in the spectrum matters."""

    def __init__(self, channels, bands, classes):
        super().__init__()
        self.dense = nn.Linear(bands * channels, classes)

    def forward(self, x):
        pooled = F.relu(x).mean(dim=2)  # N, C, F
        return self.dense(pooled.transpose(1, 2).flatten(1))
