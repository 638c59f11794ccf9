"""Trains heads and tail on kept outputs of the frozen part."""
import math

import torch

from kwstrain.progress import Progress
from kwstrain.training import losses

from .network import precision

BATCH = 128
LR_BINARY, LR, LR_HEADS = 1.5e-3, 5e-4, 2e-3
DISTIL = 0.3


def _optimiser(tail, scale):
    binary = tail.binary()
    known = {id(p) for p in binary} | {id(p) for p in tail.heads.parameters()}
    rest = [p for p in tail.parameters() if id(p) not in known]
    return torch.optim.Adam([{"params": binary, "lr": scale * LR_BINARY}, {"params": rest, "lr": scale * LR},
                             {"params": list(tail.heads.parameters()), "lr": scale * LR_HEADS, "weight_decay": 1e-5}])


def fit(tail, pools, epochs, seed, title, scale=1.0):
    """`pools`: what examples.pool() gives, as many as there are; `scale` of the rates. Returns the last epoch's loss."""
    seen, maps, labels = (torch.cat(column) for column in zip(*pools))
    steps = epochs * -(-len(labels) // BATCH)
    optimiser = _optimiser(tail, scale)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / steps, 1))))
    generator = torch.Generator().manual_seed(seed)
    progress, total = Progress(title, steps), 0.0
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(labels), generator=generator).split(BATCH):
            with precision():
                logits = tail(seen[rows].float(), maps[rows].float())
            loss = losses([z.float() for z in logits], labels[rows], DISTIL)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            tail.clip()
            total += loss.item() * len(rows)
            progress.step(f"loss {total / len(labels):.3f}")
    progress.finish()
    return total / len(labels)
