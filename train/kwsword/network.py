"""A shipped model as PyTorch: its first blocks as they are, and on them a small network of floats that is trained.

The first blocks hear sounds, the deeper ones the words that the model was made for: what is learned on the first ones from
synthetic voices holds for people, too."""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from kwstrain.reference import unpack_bits
from kwstrain.safetensors import load, save

READ = {"conv2d": ("weight", "bias"), "sign": ("threshold",), "bconv2d": ("weight", "slope", "scale", "bias"),
        "exit": ("weight", "bias"), "maxpool2d": ()}
DEPTH = 2  # exits on the part that stays
HIDDEN = 48
PARTS = 3  # of the time that the hidden layer tells apart


class Model:
    """What a model file holds."""

    def __init__(self, path):
        try:
            self.tensors, self.metadata = load(path)
            self.ops = json.loads(self.metadata["kws.graph"])
            self.labels = json.loads(self.metadata["kws.labels"])
        except (OSError, ValueError, KeyError) as error:
            raise SystemExit(f"{path}: not a model of kwsd: {error}")
        self.exits = [op for op in self.ops if op["op"] == "exit"][:DEPTH]
        outs = [op["out"] for op in self.ops]
        self.kept = self.ops[: outs.index(self.exits[-1]["in"]) + 1]
        self._check(path)
        self.channels = {self.ops[0]["out"]: self.ops[0]["shape"][2]}
        for op in self.kept[1:]:
            axis = {"conv2d": 3, "bconv2d": 0}.get(op["op"])
            self.channels[op["out"]] = (self.channels[op["in"]] if axis is None
                                        else self.tensors[op["weight"]].shape[axis])

    def _check(self, path):
        for op in self.kept[1:]:
            if op.get("pad", [0, 0])[:2] != [0, 0]:
                raise SystemExit(f"{path}: cannot train from a network that pads in time, as {op['out']} does")
            known = READ.get(op["op"])
            if known is None or isinstance(op["in"], list) or "flip" in op or op.get("output", "float") != "float":
                raise SystemExit(f"{path}: cannot train from a network with '{op['op']}' like {op['out']}")
        if len(self.exits) < DEPTH or any(op["pool"] != "time" for op in self.exits):
            raise SystemExit(f"{path}: cannot train from a network without {DEPTH} exits that keep the bands apart")

    def save(self, path, ops, new, metadata):
        """The tensors that `ops` name: the new ones, the others as they were read. Of what the file told of itself only
        the features are true of the new one."""
        names = {value: None for op in ops for key, value in op.items() if key in ("weight", "bias", "slope", "scale", "threshold")}
        save(path, {name: new.get(name, self.tensors.get(name)) for name in names},
             {**{key: self.metadata[key] for key in ("kws.format", "kws.features")}, **metadata, "kws.graph": json.dumps(ops)})


def _pad(x, op, value=0.0):
    before, after, left, right = op.get("pad", [0, 0, 0, 0])
    return F.pad(x, (left, right, before, after), value=value) if before or after or left or right else x


def _act(x, op):
    return F.relu(x) if op.get("act") == "relu" else x


class Op(nn.Module):
    """One operation over (N, channels, rows, bands)."""

    def __init__(self, model, op):
        super().__init__()
        self.op, self.names = op, [name for name in READ[op["op"]] if name in op]
        for name in self.names:
            self.register_buffer(name, self._read(model, name))

    def _read(self, model, name):
        array = model.tensors[self.op[name]]
        if array.dtype == np.uint32:
            array = unpack_bits(array, model.channels[self.op["in"]]).transpose(0, 3, 1, 2)
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
        return (x >= (self._channels("threshold") if self.names else 0)).to(x.dtype) * 2 - 1

    def _bconv2d(self, x, residual):
        x = _pad(x, self.op, float(self.op.get("pad_value", 1)))
        x = F.conv2d(x, self.weight, stride=self.op.get("stride", [1, 1]))
        x = F.prelu(x, self.slope) if "slope" in self.names else _act(x, self.op)
        x = x * self._channels("scale") if "scale" in self.names else x
        x = x + self._channels("bias") if "bias" in self.names else x
        if residual is None:
            return x
        offset = (self.weight.shape[2] - 1) // 2 - self.op.get("pad", [0])[0]
        return x + residual[:, :, offset : offset + x.shape[2]]

    def _maxpool2d(self, x, _):
        return F.max_pool2d(_pad(x, self.op, float("-inf")), self.op["kernel"], self.op.get("stride", [1, 1]))


def parts_of(rows):
    """(kernel, stride) of a mean over time that leaves PARTS rows."""
    stride = rows // PARTS
    return rows - (PARTS - 1) * stride, stride


class Trunk(nn.Module):
    """The part that stays. Of stretches longer than a window it makes several windows, each `shift` frames after the one
    before: without padding in time their maps overlap. Of each it gives, of all exits' maps after their ReLU, the mean over
    time, (N, exits, bands * channels), and the means over its PARTS, (N, PARTS * bands * exits * channels)."""

    def __init__(self, model, shift=8):
        super().__init__()
        self.ops = nn.ModuleList(Op(model, op) for op in model.kept[1:] if op["op"] != "exit")
        self.exits, self.input, self.frames = model.exits, model.ops[0]["out"], model.ops[0]["shape"][0]
        self.stride = math.prod(op.op.get("stride", [1, 1])[0] for op in self.ops)
        self.shift = -(-shift // self.stride) * self.stride
        self.rows, self.bands, self.width = self._measure()

    def _measure(self):
        """Of a window: each exit's rows; bands and channels of them all."""
        maps = self._maps(torch.zeros(1, 1, self.frames, 64))
        if len({x.shape[1:4:2] for x in maps}) != 1:
            raise SystemExit("cannot train from exits whose maps differ in bands or channels")
        return [x.shape[2] for x in maps], maps[0].shape[3], maps[0].shape[1]

    def _maps(self, x):
        maps = {self.input: x}
        for op in self.ops:
            maps[op.op["out"]] = op(maps[op.op["in"]], maps.get(op.op.get("residual")))
        return [F.relu(maps[op["in"]]) for op in self.exits]

    def _windows(self, x, rows):
        """(N, channels, rows of a stretch, bands) as (N * windows, channels, rows of a window, bands)."""
        cut = [x[:, :, at : at + rows] for at in range(0, x.shape[2] - rows + 1, self.shift // self.stride)]
        return torch.stack(cut, dim=1).flatten(0, 1)

    @torch.no_grad()
    def forward(self, x):
        maps = [self._windows(one, rows) for one, rows in zip(self._maps(x), self.rows)]
        means = torch.stack([one.mean(dim=2).transpose(1, 2).flatten(1) for one in maps], dim=1)
        kernels = [parts_of(rows) for rows in self.rows]
        parts = torch.cat([F.avg_pool2d(one, (kernel, 1), (stride, 1)) for one, (kernel, stride) in zip(maps, kernels)], dim=1)
        return means, parts.permute(0, 2, 3, 1).flatten(1)


class Tail(nn.Module):
    """What is trained: a head for each exit of the trunk, and a hidden layer before the head of one exit more. Takes what
    Trunk gives, gives the exits' logits."""

    def __init__(self, trunk, classes):
        super().__init__()
        self.trunk = [trunk]  # in a list: not a part of this
        width = trunk.bands * trunk.width
        self.heads = nn.ModuleList(nn.Linear(width, classes) for _ in trunk.exits)
        self.hidden = nn.Linear(PARTS * len(trunk.exits) * width, HIDDEN)
        self.last = nn.Linear(HIDDEN, classes)
        self.fewer_inputs, self.fewer_hidden = nn.Dropout(0.3), nn.Dropout(0.3)

    def forward(self, means, parts):
        logits = [head(means[:, i]) for i, head in enumerate(self.heads)]
        hidden = F.relu(self.hidden(self.fewer_inputs(parts)))
        return [*logits, self.last(self.fewer_hidden(hidden))]

    def graph(self, kept):
        """(operations, their new tensors): after those that are kept, this."""
        (trunk,), ops, tensors = self.trunk, list(kept), {}
        for index, (exit_op, head) in enumerate(zip(trunk.exits, self.heads)):
            tensors[exit_op["weight"]], tensors[exit_op["bias"]] = head.weight, head.bias
            kernel, stride = parts_of(trunk.rows[index])
            ops += [{"op": "concat", "in": exit_op["in"], "out": f"own.relu{index + 1}", "act": "relu"},
                    {"op": "avgpool2d", "in": f"own.relu{index + 1}", "out": f"own.parts{index + 1}", "kernel": [kernel, 1],
                     "stride": [stride, 1]}]
        ops.insert(len(kept), trunk.exits[-1])
        shape = (HIDDEN, PARTS, trunk.bands, len(trunk.exits) * trunk.width)
        tensors["own.hidden.weight"] = self.hidden.weight.view(shape).permute(1, 2, 3, 0)
        tensors["own.hidden.bias"] = self.hidden.bias
        tensors["own.exit.weight"], tensors["own.exit.bias"] = self.last.weight, self.last.bias
        ops += [{"op": "concat", "in": [f"own.parts{i + 1}" for i in range(len(trunk.exits))], "out": "own.parts"},
                {"op": "conv2d", "in": "own.parts", "out": "own.hidden", "weight": "own.hidden.weight",
                 "bias": "own.hidden.bias", "stride": [1, 1], "pad": [0, 0, 0, 0], "act": "relu"},
                {"op": "exit", "in": "own.hidden", "out": "own.exit", "weight": "own.exit.weight", "bias": "own.exit.bias",
                 "pool": "time", "act": "none"}]
        return ops, {name: np.ascontiguousarray(value.detach().numpy(), np.float32) for name, value in tensors.items()}


def precision():
    """Convolutions in half the bits where the processor has instructions for that; elsewhere they would take longer."""
    with open("/proc/cpuinfo") as file:
        fast = any("avx512_bf16" in line.split() for line in file if line.startswith("flags"))
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast)
