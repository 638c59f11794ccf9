"""Entropy thresholds for a chain of exits, by AEBNAS's grid over cached answers."""
import itertools

import numpy as np

DELTAS = (0.0, 0.05, 0.15, 0.3, 0.5, 0.75, 1.0)  # 0: this exit never stops


def entropy(p):
    return -(p * np.log(np.maximum(p, 1e-30))).sum(-1)


class Chain:
    """`right` and `entropies`: (exits, clips), the last exit included; `costs`: of leaving at each exit."""

    def __init__(self, right, entropies, costs):
        self.right, self.entropies = right, entropies
        self.costs = np.asarray(costs, float)

    @classmethod
    def of_posteriors(cls, posteriors, labels, costs):
        """`posteriors`: per exit (clips, classes)."""
        return cls(np.stack([p.argmax(1) == labels for p in posteriors]), np.stack([entropy(p) for p in posteriors]), costs)

    def play(self, deltas):
        """(accuracy in %, mean cost, share of each exit) under one delta an exit but the last."""
        stop = np.vstack([self.entropies[:-1] < np.asarray(deltas)[:, None], np.ones(self.right.shape[1], bool)])
        exits = stop.argmax(0)
        shares = np.bincount(exits, minlength=len(self.costs)) / len(exits)
        accuracy = 100 * self.right[exits, np.arange(len(exits))].mean()
        return accuracy, float(shares @ self.costs), shares

    def tune(self, penalty):
        """The deltas with the best score = accuracy - penalty * cost / cost of the last exit."""
        def score(deltas):
            accuracy, cost, _ = self.play(deltas)
            return accuracy - penalty * cost / self.costs[-1]

        return max(itertools.product(DELTAS, repeat=len(self.costs) - 1), key=score)
