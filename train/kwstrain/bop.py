"""Bop, the binary optimiser (Helwegen et al., "Latent weights do not exist"): no latent weights, a weight flips when the
moving average of its gradient has pulled against it for long enough."""
import torch


class Bop(torch.optim.Optimizer):
    """m <- (1 - gamma) m + gamma g; w <- -w where m w > threshold. Parameters must be +-1.

    gamma is each group's `lr`, so that a learning-rate schedule makes it fall.
    """

    def __init__(self, params, gamma=1e-4, threshold=1e-8):
        super().__init__(params, {"lr": gamma, "threshold": threshold})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"].lerp_(weight.grad, group["lr"])
                weight.copy_(torch.where(momentum * weight > group["threshold"], -weight, weight))
