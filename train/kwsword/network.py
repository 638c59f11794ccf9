"""A shipped model as PyTorch: its operations as they are, up to an exit from which on they are trained further."""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from kwstrain.layers import STE_CLIP, sign
from kwstrain.reference import pack_bits, unpack_bits
from kwstrain.safetensors import load, save

LATENT = 0.4  # how far from flipping a binary weight begins
TRAINED = {"conv2d": ("weight", "bias"), "sign": ("threshold",), "bconv2d": ("weight", "slope", "scale", "bias"),
           "exit": ("weight", "bias"), "maxpool2d": ()}


class Model:
    """What a model file holds."""

    def __init__(self, path):
        try:
            self.tensors, self.metadata = load(path)
            self.ops = json.loads(self.metadata["kws.graph"])
            self.labels = json.loads(self.metadata["kws.labels"])
        except (OSError, ValueError, KeyError) as error:
            raise SystemExit(f"{path}: not a model of kwsd: {error}")
        self.exits = [op for op in self.ops if op["op"] == "exit"]
        self._check(path)
        self.channels = {self.ops[0]["out"]: self.ops[0]["shape"][2]}
        for op in self.ops[1:]:
            axis = {"conv2d": 3, "bconv2d": 0}.get(op["op"])
            self.channels[op["out"]] = (self.channels[op["in"]] if axis is None
                                        else self.tensors[op["weight"]].shape[axis])

    def _check(self, path):
        for op in self.ops[1:]:
            known = TRAINED.get(op["op"])
            if op.get("pad", [0, 0])[:2] != [0, 0]:
                raise SystemExit(f"{path}: cannot train from a network that pads in time, as {op['out']} does")
            if known is None or isinstance(op["in"], list) or "flip" in op or op.get("output", "float") != "float":
                raise SystemExit(f"{path}: cannot train from a network with '{op['op']}' like {op['out']}")
        if any(op["pool"] != "time" for op in self.exits):
            raise SystemExit(f"{path}: cannot train from exits that do not keep the bands apart")

    def between(self, first, last):
        """The operations after the map of exit `first` (0: the input) up to the map of exit `last`, without exits."""
        outs = [op["out"] for op in self.ops]
        ends = [0] + [outs.index(op["in"]) for op in self.exits]
        return [op for op in self.ops[ends[first] + 1 : ends[last] + 1] if op["op"] != "exit"]

    def save(self, path, changed, metadata):
        """As it was read, but for the tensors and metadata that changed."""
        save(path, {**self.tensors, **changed}, {**self.metadata, **metadata})


def _pad(x, op, value=0.0):
    before, after, left, right = op.get("pad", [0, 0, 0, 0])
    return F.pad(x, (left, right, before, after), value=value) if before or after or left or right else x


def _act(x, op):
    return F.relu(x) if op.get("act") == "relu" else x


class Op(nn.Module):
    """One operation over (N, channels, rows, bands), its tensors as parameters."""

    def __init__(self, model, op):
        super().__init__()
        self.op, self.names = op, [name for name in TRAINED[op["op"]] if name in op]
        for name in self.names:
            self.register_parameter(name, nn.Parameter(self._read(model, name)))

    def _read(self, model, name):
        array = model.tensors[self.op[name]]
        if array.dtype == np.uint32:
            words = unpack_bits(array, model.channels[self.op["in"]])
            array = LATENT * words.transpose(0, 3, 1, 2).astype(np.float32)
        elif name == "weight" and self.op["op"] == "conv2d":
            array = array.transpose(3, 2, 0, 1)
        return torch.from_numpy(np.array(array, np.float32))

    def _channels(self, name):
        return getattr(self, name).view(1, -1, 1, 1)

    def forward(self, x, residual=None):
        return getattr(self, "_" + self.op["op"])(x, residual)

    def _conv2d(self, x, _):
        bias = self.bias if "bias" in self.names else None
        return _act(F.conv2d(_pad(x, self.op), self.weight, bias, self.op.get("stride", [1, 1]),
                             groups=self.op.get("groups", 1)), self.op)

    def _sign(self, x, _):
        return sign(x - self._channels("threshold") if self.names else x)

    def _bconv2d(self, x, residual):
        x = _pad(x, self.op, float(self.op.get("pad_value", 1)))
        x = F.conv2d(x, sign(self.weight), stride=self.op.get("stride", [1, 1]))
        x = F.prelu(x, self.slope) if "slope" in self.names else _act(x, self.op)
        x = x * self._channels("scale") if "scale" in self.names else x
        x = x + self._channels("bias") if "bias" in self.names else x
        if residual is None:
            return x
        offset = (self.weight.shape[2] - 1) // 2 - self.op.get("pad", [0])[0]
        return x + residual[:, :, offset : offset + x.shape[2]]

    def _maxpool2d(self, x, _):
        return F.max_pool2d(_pad(x, self.op, float("-inf")), self.op["kernel"], self.op.get("stride", [1, 1]))

    def tensors(self):
        """As the model file has them, by the names in it."""
        return {self.op[name]: self._packed(name, getattr(self, name).detach().numpy()) for name in self.names}

    def _packed(self, name, array):
        if name == "weight" and self.op["op"] == "bconv2d":
            return pack_bits(np.where(array >= 0, 1, -1).transpose(0, 2, 3, 1))
        if name == "weight" and self.op["op"] == "conv2d":
            array = array.transpose(2, 3, 1, 0)
        return np.ascontiguousarray(array, np.float32)


def pooled(x, op):
    """What the head of an exit sees: the mean over time, bands before channels."""
    return _act(x, op).mean(dim=2).transpose(1, 2).flatten(1)


class Trunk(nn.Module):
    """The part that stays, up to exit `depth`. Of stretches longer than a window it makes several windows, each `shift`
    frames after the one before: without padding in time their maps overlap."""

    def __init__(self, model, depth, shift=8):
        super().__init__()
        self.parts = nn.ModuleList(nn.ModuleList(Op(model, op) for op in model.between(i, i + 1)) for i in range(depth))
        self.exits, self.input, self.frames = model.exits[:depth], model.ops[0]["out"], model.ops[0]["shape"][0]
        self.stride = math.prod(op.op.get("stride", [1, 1])[0] for part in self.parts for op in part)
        self.shift = -(-shift // self.stride) * self.stride

    def _windows(self, x, frames):
        """(N, channels, rows, bands) of a stretch as (N * windows, channels, fewer rows, bands)."""
        spare = (frames - self.frames) // self.stride
        rows = x.shape[2] - spare
        cut = [x[:, :, at : at + rows] for at in range(0, spare + 1, self.shift // self.stride)]
        return torch.stack(cut, dim=1).flatten(0, 1)

    @torch.no_grad()
    def forward(self, x):
        """(what the heads see, the map at the cut), the windows of each stretch one after the other."""
        frames, maps, seen = x.shape[2], {self.input: x}, []
        for part, exit_op in zip(self.parts, self.exits):
            walk(part, maps)
            seen.append(pooled(self._windows(maps[exit_op["in"]], frames), exit_op))
        return torch.cat(seen, dim=1), self._windows(maps[self.exits[-1]["in"]], frames)


class Tail(nn.Module):
    """What is trained: the operations after exit `depth`, and all heads. Takes what Trunk gives."""

    def __init__(self, model, depth, labels):
        super().__init__()
        self.depth, self.exits = depth, model.exits
        self.parts = nn.ModuleList(nn.ModuleList(Op(model, op) for op in model.between(i, i + 1))
                                   for i in range(depth, len(model.exits)))
        self.heads = nn.ModuleList(self._head(model, op, labels) for op in model.exits)
        self.widths = [head.in_features for head in self.heads[:depth]]

    @staticmethod
    def _head(model, op, labels):
        """Known labels go on from what they were, the others begin at nothing."""
        weight, bias = model.tensors[op["weight"]], model.tensors[op["bias"]]
        head = nn.Linear(weight.shape[1], len(labels))
        with torch.no_grad():
            head.weight.zero_()
            head.bias.zero_()
            for i, label in enumerate(labels):
                if label in model.labels:
                    head.weight[i] = torch.from_numpy(weight[model.labels.index(label)].copy())
                    head.bias[i] = float(bias[model.labels.index(label)])
        return head

    def forward(self, seen, x):
        """The exits' logits."""
        logits = [head(part) for head, part in zip(self.heads, seen.split(self.widths, dim=1))]
        maps = {self.exits[self.depth - 1]["in"]: x}
        for part, op, head in zip(self.parts, self.exits[self.depth :], self.heads[self.depth :]):
            walk(part, maps)
            logits.append(head(pooled(maps[op["in"]], op)))
        return logits

    def binary(self):
        """Latent weights."""
        return [op.weight for part in self.parts for op in part if op.op["op"] == "bconv2d"]

    def clip(self):
        """To call after each step: a latent weight outside would never flip again."""
        with torch.no_grad():
            for weight in self.binary():
                weight.clamp_(-STE_CLIP, STE_CLIP)

    def tensors(self):
        """What is new, as the model file has it."""
        found = {}
        for part in self.parts:
            for op in part:
                found.update(op.tensors())
        for op, head in zip(self.exits, self.heads):
            found[op["weight"]] = head.weight.detach().numpy().copy()
            found[op["bias"]] = head.bias.detach().numpy().copy()
        return found


def walk(part, maps):
    for op in part:
        maps[op.op["out"]] = op(maps[op.op["in"]], maps.get(op.op.get("residual")))


def precision():
    """Convolutions in half the bits where the processor has instructions for that; elsewhere they would take longer."""
    with open("/proc/cpuinfo") as file:
        fast = any("avx512_bf16" in line.split() for line in file if line.startswith("flags"))
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast)
