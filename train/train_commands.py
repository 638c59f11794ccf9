#!/usr/bin/python3
"""Trains the command model: binary weights and activations, five exits, latent weights with Adam.

Needs ./dev build (the C front end) and the data folder; writes a checkpoint every epoch, resumes from it.
"""
import argparse
import math
import pathlib
import time

import torch
import torch.nn.functional as F

from kwstrain.commandnet import CommandNet
from kwstrain.data import LABELS
from kwstrain.sampler import Examples
from kwstrain.validation import Validation

HERE = pathlib.Path(__file__).parent


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with commands.tsv, speech.tsv, noise.tsv ...")
    parser.add_argument("--run", default=HERE / "runs" / "commands", type=pathlib.Path, help="folder of the checkpoint")
    parser.add_argument("--init", type=pathlib.Path, help="checkpoint whose weights a new run starts from")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batches", type=int, default=230, help="batches an epoch")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr-binary", type=float, default=5e-3)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--distil", type=float, default=0.5, help="weight of KL(last exit -> earlier exits)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def losses(logits, labels, distil):
    """Sum over the exits of the cross entropy (Saeed), and the last exit as teacher of the others."""
    total = sum(F.cross_entropy(z, labels) for z in logits)
    teacher = F.softmax(logits[-1].detach() / 2, dim=1)
    for z in logits[:-1]:
        total = total + distil * 4 * F.kl_div(F.log_softmax(z / 2, dim=1), teacher, reduction="batchmean")
    return total


def optimiser_of(net, args):
    binary = [conv.weight for conv in net.binary_convs()]
    known = {id(p) for p in binary}
    rest = [p for p in net.parameters() if id(p) not in known]
    return torch.optim.Adam([{"params": binary, "lr": args.lr_binary}, {"params": rest, "lr": args.lr}])


def train_epoch(net, optimiser, schedule, loader, args):
    net.train()
    total, right, seen = 0.0, 0, 0
    for features, labels in loader:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(features)
        logits = [z.float() for z in logits]
        loss = losses(logits, labels, args.distil)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        for conv in net.binary_convs():
            conv.clip()
        total += loss.item() * len(labels)
        right += (logits[-1].argmax(1) == labels).sum().item()
        seen += len(labels)
    return total / seen, 100 * right / seen


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    cache = HERE / "cache"
    args.run.mkdir(parents=True, exist_ok=True)
    examples = Examples(args.data, cache, args.batch, args.batches, args.seed)
    validation = Validation(args.data, cache)
    net = CommandNet(len(LABELS))
    optimiser = optimiser_of(net, args)
    steps = args.epochs * args.batches
    warm_up = args.batches // 2
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(step / warm_up, 0.5 * (1 + math.cos(math.pi * min(step / steps, 1)))))
    checkpoint = args.run / "checkpoint.pt"
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["epoch"]
    elif args.init:
        net.load_state_dict(torch.load(args.init)["net"])
    for epoch in range(first, args.epochs):
        started = time.monotonic()
        examples.epoch = epoch
        loader = torch.utils.data.DataLoader(examples, batch_size=None, num_workers=1, prefetch_factor=8)
        loss, accuracy = train_epoch(net, optimiser, schedule, loader, args)
        per_exit, per_label, unseen = validation.report(net)
        torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
                    "epoch": epoch + 1}, checkpoint)
        print(f"epoch {epoch + 1:3d}/{args.epochs}  loss {loss:.3f}  train {accuracy:.1f}  val "
              + " ".join(f"{a:.1f}" for a in per_exit)
              + "  " + " ".join(f"{name}:{a:.0f}" for name, a in per_label.items())
              + f"  unseen:{unseen:.0f}  {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
