"""Batch norm and sign as one threshold per channel, exactly: sign(norm(x)) is a step in x, since rounding keeps order,
and a binary search with the batch norm itself finds where it lies."""
import numpy as np
import torch

INT16 = (-32768, 32767)
FLOAT = tuple(int(sign * np.float32(np.finfo(np.float32).max).view(np.int32)) for sign in (-1, 1))


def _values(keys, integer):
    """Keys in the order of the numbers: the integers themselves, or the bits of a float, mirrored below zero."""
    magnitude = np.abs(keys).astype(np.int32).view(np.float32)
    return np.where(integer, keys.astype(np.float32), np.where(keys < 0, -magnitude, magnitude))


def _negative(norm, keys, integer):
    values = torch.from_numpy(_values(keys, integer).astype(np.float32))
    with torch.no_grad():
        return norm(values.view(1, -1, 1, 1)).flatten().numpy() < 0


def find(norm, integer):
    """(threshold float32, flip bool) of each channel: norm(x) < 0 where (x < threshold) != flip, for every x.

    `integer`: bool per channel, whether x is an int16; its threshold is an integer from -32768 to 32767.
    """
    norm.eval()
    low = np.where(integer, INT16[0], FLOAT[0]).astype(np.int64)
    high = np.where(integer, INT16[1], FLOAT[1]).astype(np.int64)
    lowest, first, last = low.copy(), _negative(norm, low, integer), _negative(norm, high, integer)
    constant = first == last
    while (high - low > 1).any():  # the step lies in (low, high]
        middle = (low + high) // 2
        below = _negative(norm, middle, integer) == first
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    # x < lowest never holds: a constant bit is the flip alone
    threshold = _values(np.where(constant, lowest, high), integer)
    return threshold.astype(np.float32), np.where(constant, first, ~first)
