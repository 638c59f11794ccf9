"""What all training scripts share: the loss over the exits, optimisers, the epochs with their checkpoints."""
import ctypes
import math
import pathlib

import torch
import torch.nn.functional as F

from .bop import Bop
from .progress import Progress


def add_arguments(parser, epochs, distil=None):
    """Options of every training script; the defaults differ. A network with one exit has nothing to distil."""
    parser.add_argument("--init", type=pathlib.Path, help="checkpoint whose weights a new run starts from")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--batches", type=int, default=230, help="batches an epoch")
    parser.add_argument("--batch", type=int, default=128)
    if distil is None:
        parser.set_defaults(distil=0.0)
    else:
        parser.add_argument("--distil", type=float, default=distil, help="weight of KL(last exit -> earlier exits)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1, help="processes that make examples; 0: the one that trains")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="auto: cuda where there is one")
    parser.add_argument("--seed", type=int, default=1)


def keep_memory():
    """Has glibc's malloc keep what is freed: maps of tens of megabytes that go back to the system come back as pages to
    clear, which took a sixth of BinaryDenseNet's step."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(-4, 0)  # M_MMAP_MAX: no mapping of its own for any block
        libc.mallopt(-1, -1)  # M_TRIM_THRESHOLD: never


def begin(args):
    """What every training script does first with its options."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    keep_memory()


def device(choice):
    """The device of `--device`."""
    if choice == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if choice == "cuda" and not torch.cuda.is_available():
        raise SystemExit("--device cuda: PyTorch finds no such device here")
    return choice


def distillation(logits, teacher):
    """The divergence from the teacher's logits, both at temperature 2, in the scale of a cross entropy."""
    return 4 * F.kl_div(F.log_softmax(logits / 2, dim=1), F.softmax(teacher / 2, dim=1), reduction="batchmean")


def losses(logits, labels, distil, taught=None, teach=0.0):
    """Sum over the exits of the cross entropy (Saeed), the last exit as teacher of the others, and another network's
    logits, `taught`, as teacher of all."""
    total = sum(F.cross_entropy(z, labels) for z in logits)
    if distil > 0:
        for z in logits[:-1]:
            total = total + distil * distillation(z, logits[-1].detach())
    if taught is not None:
        for z in logits:
            total = total + teach * distillation(z, taught)
    return total


def _split(net):
    """(binary weights, the rest)"""
    binary = [conv.weight for conv in net.binary_convs()]
    known = {id(p) for p in binary}
    return binary, [p for p in net.parameters() if id(p) not in known and p.requires_grad]


def latent_adam(net, lr_binary, lr):
    binary, rest = _split(net)
    return [torch.optim.Adam([{"params": binary, "lr": lr_binary}, {"params": rest, "lr": lr}])]


def bop_adam(net, gamma, threshold, lr):
    binary, rest = _split(net)
    return [Bop(binary, gamma, threshold), torch.optim.Adam(rest, lr=lr)]


class Training:
    """A network, its optimisers and its place in the epochs; `about` goes into the checkpoint as it is. `teacher`: a
    network whose last exit all exits learn from, `teach` times as much as from the labels."""

    def __init__(self, net, optimisers, run, args, about=None, teacher=None, teach=0.0):
        self.net, self.optimisers, self.args, self.about = net, optimisers, args, about
        self.teacher, self.teach = teacher, teach
        self.device = next(net.parameters()).device
        steps, warm_up = args.epochs * args.batches, max(args.batches // 2, 1)
        self.schedules = [torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(step / warm_up, 0.5 * (1 + math.cos(math.pi * min(step / steps, 1)))))
            for optimiser in optimisers]
        self.epoch = 0
        run.mkdir(parents=True, exist_ok=True)
        self.checkpoint = run / "checkpoint.pt"
        if self.checkpoint.exists():
            self._resume()
        elif args.init:
            net.load_state_dict(torch.load(args.init, map_location=self.device)["net"])

    def _resume(self):
        state = torch.load(self.checkpoint, map_location=self.device)
        about = state.get("about")
        # command networks did not tell their labels once
        if about != self.about and (about is not None or "net" in self.about):
            raise SystemExit(f"{self.checkpoint} is of another network: {about}. Give another --run.")
        if "optimisers" not in state:
            raise SystemExit(f"{self.checkpoint} has weights alone, no more to resume: give it to --init, and another --run")
        self.net.load_state_dict(state["net"])
        for one, saved in zip(self.optimisers + self.schedules, state["optimisers"] + state["schedules"]):
            one.load_state_dict(saved)
        self.epoch = state["epoch"]

    def _save(self):
        """Never leaves half a file: a run that is killed goes on from the epoch before."""
        state = {"net": self.net.state_dict(), "epoch": self.epoch, "about": self.about,
                 "optimisers": [o.state_dict() for o in self.optimisers], "schedules": [s.state_dict() for s in self.schedules]}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def _step(self, features, labels):
        """(loss, right answers of the last exit)"""
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            logits = self.net(features)
            taught = self._taught(features)
        logits = [z.float() for z in logits]
        loss = losses(logits, labels, self.args.distil, taught, self.teach)
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        loss.backward()
        for optimiser, schedule in zip(self.optimisers, self.schedules):
            optimiser.step()
            schedule.step()
        for conv in self.net.binary_convs():
            conv.clip()
        return loss.item(), (logits[-1].argmax(1) == labels).sum().item()

    def _taught(self, features):
        if self.teacher is None:
            return None
        with torch.no_grad():
            return self.teacher(features)[-1].float()

    def _train_epoch(self, examples):
        """(mean loss, accuracy of the last exit in %, seconds)"""
        self.net.train()
        ahead = {"prefetch_factor": 8} if self.args.workers > 0 else {}
        loader = torch.utils.data.DataLoader(examples, batch_size=None, num_workers=self.args.workers, **ahead)
        progress = Progress(f"epoch {self.epoch + 1}", self.args.batches)
        total, right, seen = 0.0, 0, 0
        for features, labels in loader:
            loss, correct = self._step(features.to(self.device), labels.to(self.device))
            total, right, seen = total + loss * len(labels), right + correct, seen + len(labels)
            progress.step(f"loss {total / seen:.3f}")
        return total / seen, 100 * right / seen, progress.finish()

    def run(self, examples, validation):
        """Trains to the last epoch; after each one a checkpoint and a line of figures."""
        while self.epoch < self.args.epochs:
            examples.epoch = self.epoch
            loss, accuracy, seconds = self._train_epoch(examples)
            self.epoch += 1
            self._save()
            print(f"epoch {self.epoch:3d}/{self.args.epochs}  loss {loss:.3f}  train {accuracy:.1f}  val "
                  f"{validation.describe(self.net)}  {seconds:.0f} s", flush=True)
