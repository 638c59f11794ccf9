"""TensorFlow's SAME padding, which PyTorch does not have: ceil(extent / stride) outputs, and where the padding is odd
the extra element comes after."""
import torch.nn.functional as F
from torch import nn


def same_pad(extent, kernel, stride):
    """(before, after) on one axis."""
    total = max((-(-extent // stride) - 1) * stride + kernel - extent, 0)
    return total // 2, total - total // 2


def pad_same(x, kernel, stride, value=0.0):
    """x is (N, C, rows, bands)."""
    return F.pad(x, (*same_pad(x.shape[3], kernel, stride), *same_pad(x.shape[2], kernel, stride)), value=value)


class Conv2dSame(nn.Conv2d):
    def forward(self, x):
        return F.conv2d(pad_same(x, self.kernel_size[0], self.stride[0]), self.weight, self.bias, self.stride,
                        groups=self.groups)


def max_pool_same(x, kernel, stride):
    """What lies outside is no candidate."""
    return F.max_pool2d(pad_same(x, kernel, stride, float("-inf")), kernel, stride)


def avg_pool_same(x, kernel, stride):
    """The mean over what lies inside."""
    inside = pad_same(x.new_ones(1, 1, *x.shape[2:]), kernel, stride)
    return F.avg_pool2d(pad_same(x, kernel, stride), kernel, stride) / F.avg_pool2d(inside, kernel, stride)
