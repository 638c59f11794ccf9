"""The validation clips in two: to choose exits and thresholds by, and to tell figures of."""
import numpy as np


def halves(count, seed=0):
    """Two index arrays; every clip is in one of them."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])
