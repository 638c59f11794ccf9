"""PReLU and batch norm with gradients of a few vector passes each.

PyTorch's own for bfloat16 on a CPU took two fifths of a step of the command network. Anything else than training in
bfloat16 on a CPU is left to them.
"""
import torch
import torch.nn.functional as F
from torch import nn


def _slow_in_pytorch(x):
    return x.dtype == torch.bfloat16 and not x.is_cuda


def _by_channel(x):
    """(positions, channels) of (N, C, rows, bands): a view where x is channels_last."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _like(rows, x):
    batch, channels, height, width = x.shape
    return rows.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _sum(rows):
    """Over the positions, as a matrix product: torch.sum would first make float32 of all."""
    return (rows.new_ones(1, len(rows)) @ rows)[0].float()


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, running_mean, running_var, momentum, eps):
        y, mean, scale = torch.native_batch_norm(x, weight, bias, running_mean, running_var, True, momentum, eps)
        ctx.save_for_backward(x, weight, mean, scale)
        return y

    @staticmethod
    def backward(ctx, grad):
        x, weight, mean, scale = ctx.saved_tensors
        grads, rows = _by_channel(grad.to(x.dtype)), _by_channel(x)
        grad_bias = _sum(grads)
        grad_weight = (_sum(grads * rows) - mean * grad_bias) * scale
        # the gradient of x is a grads + b rows + c
        a = scale if weight is None else scale * weight
        b = -a * scale * grad_weight / len(rows)
        c = -a * grad_bias / len(rows) - b * mean
        grad_x = torch.addcmul(c.to(x.dtype), rows, b.to(x.dtype)).addcmul_(grads, a.to(x.dtype))
        own = (None, None) if weight is None else (grad_weight, grad_bias)
        return _like(grad_x, x), *own, None, None, None, None


class BatchNorm2d(nn.BatchNorm2d):
    def forward(self, x):
        if not self.training or not _slow_in_pytorch(x):
            return super().forward(x)
        self.num_batches_tracked.add_(1)
        return _BatchNorm.apply(x, self.weight, self.bias, self.running_mean, self.running_var, self.momentum, self.eps)


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x, slope)
        return F.prelu(x, slope)

    @staticmethod
    def backward(ctx, grad):
        x, slope = ctx.saved_tensors
        grads, rows = _by_channel(grad.to(x.dtype)), _by_channel(x)
        above = torch.ops.aten.threshold_backward(grads, rows, 0)
        grad_slope = _sum(rows.clamp(max=0).mul_(grads))
        return _like((grads * slope).addcmul_(above, 1 - slope), x), grad_slope


def prelu(x, slope):
    """A slope for each channel."""
    return _PReLU.apply(x, slope.to(x.dtype)) if _slow_in_pytorch(x) else F.prelu(x, slope)
