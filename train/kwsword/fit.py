"""Trains heads and hidden layer on what the frozen part gave."""
import math

import torch
import torch.nn.functional as F

from kwstrain.progress import Progress

BATCH = 128
LR, DECAY = 1e-3, 1e-2


def fit(tail, pools, epochs, seed, title, scale=1.0):
    """`pools`: what examples.pool() gives, as many as there are; `scale` of the rate."""
    means, parts, labels = (torch.cat(column) for column in zip(*pools))
    steps = epochs * -(-len(labels) // BATCH)
    optimiser = torch.optim.AdamW(tail.parameters(), lr=scale * LR, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / steps, 1))))
    generator = torch.Generator().manual_seed(seed)
    progress = Progress(title, steps)
    tail.train()
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(labels), generator=generator).split(BATCH):
            logits = tail(means[rows].float(), parts[rows].float())
            loss = sum(F.cross_entropy(z, labels[rows]) for z in logits)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
            progress.step(f"loss {total / len(labels):.3f}")
    progress.finish()
    tail.eval()
