"""PReLU and the cut of a residual with gradients that keep to vectors: for bfloat16 on a CPU, PyTorch's own of the first has
none, and that of the second is not in channels_last, which makes those of all batch norms before it several times slower."""
import torch
import torch.nn.functional as F


class _PReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x, slope)
        return F.prelu(x, slope)

    @staticmethod
    def backward(ctx, grad):
        x, slope = ctx.saved_tensors
        # (positions, channels): views where both are channels_last
        grads, rows = (map.permute(0, 2, 3, 1).reshape(-1, x.shape[1]) for map in (grad.to(x.dtype), x))
        above = torch.ops.aten.threshold_backward(grads, rows, 0)
        below = rows.clamp(max=0).mul_(grads)
        grad_slope = below.new_ones(1, len(below)) @ below  # torch.sum would first make float32 of all
        grad_x = (grads * slope).addcmul_(above, 1 - slope)
        batch, channels, height, width = x.shape
        return grad_x.view(batch, height, width, channels).permute(0, 3, 1, 2), grad_slope[0]


def prelu(x, slope):
    """A slope for each channel."""
    slow = x.dtype == torch.bfloat16 and not x.is_cuda
    return _PReLU.apply(x, slope.to(x.dtype)) if slow else F.prelu(x, slope)


class _Crop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return x[:, :, 1:-1]

    @staticmethod
    def backward(ctx, grad):
        out = torch.empty(ctx.shape, dtype=grad.dtype, device=grad.device, memory_format=torch.channels_last)
        out[:, :, 1:-1] = grad
        out[:, :, (0, -1)] = 0
        return out


def crop(x):
    """(N, C, rows, bands) without its first and its last row."""
    return _Crop.apply(x)
