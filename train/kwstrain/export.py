"""A trained network as a graph of the C engine: batch norm folded, weights packed, one op per step."""
import json

import numpy as np
import torch

from . import thresholds
from .reference import pack_bits
from .safetensors import save
from .same import same_pad


def fold(norm):
    """BatchNorm as (scale, bias), computed in double precision."""
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight.double()
    bias = -norm.running_mean.double() * scale
    if norm.affine:
        bias = bias + norm.bias.double()
    return scale.detach(), bias.detach()


class Graph:
    """The list of operations and the tensors that they name. Every add returns the name of the map that it makes."""

    def __init__(self, rows, bands, channels):
        self.ops = [{"op": "input", "out": "input", "shape": [rows, bands, channels]}]
        self.tensors = {}
        self.shapes = {"input": (rows, bands, channels)}
        self.integers = set()  # the maps of int16

    def add(self, op, source, out, tensors=None, **attributes):
        """`source`: a map, or a list of maps side by side."""
        entry = {"op": op, "in": source, "out": out, **attributes}
        for key, value in (tensors or {}).items():
            name = f"{out}.{key}"
            value = value.detach().numpy() if isinstance(value, torch.Tensor) else value
            self.tensors[name] = np.ascontiguousarray(value, np.uint32 if value.dtype == np.uint32 else np.float32)
            entry[key] = name
        self.ops.append(entry)
        self.shapes[out] = self._shape(entry)
        return out

    def _shape(self, entry):
        sources = entry["in"] if isinstance(entry["in"], list) else [entry["in"]]
        rows, bands, _ = self.shapes[sources[0]]
        channels = sum(self.shapes[source][2] for source in sources)
        kernel = entry.get("kernel", [1, 1])
        if entry["op"] in ("conv2d", "bconv2d"):
            shape = self.tensors[entry["weight"]].shape
            kernel, channels = (shape[:2], shape[3]) if entry["op"] == "conv2d" else (shape[1:3], shape[0])
        pad, stride = entry.get("pad", [0, 0, 0, 0]), entry.get("stride", [1, 1])
        return ((rows + pad[0] + pad[1] - kernel[0]) // stride[0] + 1,
                (bands + pad[2] + pad[3] - kernel[1]) // stride[1] + 1, channels)

    def same(self, source, kernel, stride):
        """`pad` of TensorFlow's SAME."""
        rows, bands, _ = self.shapes[source]
        return [*same_pad(rows, kernel, stride), *same_pad(bands, kernel, stride)]

    def conv(self, source, out, conv, norm=None, act="none", pad=(0, 0, 0, 0)):
        """Float convolution and the batch norm after it. `pad`: a list, or "same"."""
        weight, tensors = conv.weight.double(), {}
        if norm is not None:
            scale, tensors["bias"] = fold(norm)
            weight = weight * scale.view(-1, 1, 1, 1)
        tensors["weight"] = weight.permute(2, 3, 1, 0)
        groups = {"groups": conv.groups} if conv.groups != 1 else {}
        pad = self.same(source, conv.kernel_size[0], conv.stride[0]) if pad == "same" else list(pad)
        return self.add("conv2d", source, out, tensors, stride=list(conv.stride), pad=pad, act=act, **groups)

    def sign(self, sources, out, norm=None):
        """The signs of maps side by side, after a batch norm if one is given."""
        tensors = {}
        if norm is not None:
            integer = np.concatenate([np.full(self.shapes[s][2], s in self.integers) for s in sources])
            tensors["threshold"], flip = thresholds.find(norm, integer)
            if flip.any():
                tensors["flip"] = pack_bits(np.where(flip, -1, 1))
        return self.add("sign", sources[0] if len(sources) == 1 else sources, out, tensors)

    def bconv(self, source, out, conv, norm, slope=None, pad=(1, 1, 1, 1), **attributes):
        """[residual +] BN(PReLU(bconv)). `pad`: a list, or "same"."""
        scale, bias = fold(norm)
        tensors = {"weight": _signs(conv), **({"slope": slope} if slope is not None else {}),
                   "scale": scale * conv.scale().double(), "bias": bias}
        pad = self.same(source, 3, conv.stride) if pad == "same" else list(pad)
        return self.add("bconv2d", source, out, tensors, pad=pad, stride=[conv.stride] * 2, **attributes)

    def bconv_integers(self, source, out, conv, **attributes):
        """[residual +] bconv, as int16."""
        self.integers.add(out)
        return self.add("bconv2d", source, out, {"weight": _signs(conv)}, pad=self.same(source, 3, conv.stride),
                        output="int16", **attributes)

    def max_pool_same(self, source, out, kernel):
        """Half the rows and bands."""
        pad = self.same(source, kernel, 2)
        return self.add("maxpool2d", source, out, kernel=[kernel] * 2, stride=[2, 2], pad=pad)

    def concat(self, sources, out, norm, act="none"):
        """A batch norm over maps side by side, as one float map."""
        scale, bias = fold(norm)
        return self.add("concat", sources, out, {"scale": scale, "bias": bias}, act=act)

    def exit(self, source, out, dense, pool, act):
        return self.add("exit", source, out, {"weight": dense.weight, "bias": dense.bias}, pool=pool, act=act)

    def save(self, path, name, labels, features, card):
        save(path, self.tensors, {
            "kws.format": "1", "kws.name": name, "kws.labels": json.dumps(labels), "kws.features": features,
            "kws.card": card, "kws.graph": json.dumps(self.ops)})


def _signs(conv):
    """A binary convolution's weights as the file has them, (out, rows, bands, words)."""
    return pack_bits(np.where(conv.weight.detach().numpy() >= 0, 1, -1).transpose(0, 2, 3, 1))


def command_trunk(graph, net):
    """Adds stem, transitions and blocks; yields (number of blocks, the map of their output) block after block."""
    x = graph.conv("input", "stem1", net.stem.conv, net.stem.norm1, "relu", (0, 0, 0, 1))
    x = graph.conv(x, "stem2", net.stem.depthwise, net.stem.norm2, pad=(0, 0, 0, 1))
    x = graph.conv(x, "stem3", net.stem.point, net.stem.norm3)
    for index, block in enumerate(net.blocks):
        if str(index) in net.transitions:
            transition = net.transitions[str(index)]
            x = graph.add("maxpool2d", x, f"pool{index}", kernel=[1, 2], stride=[1, 2])
            x = graph.conv(x, f"transition{index}", transition.point, transition.norm)
        # crop(x) + BN(PReLU(bconv(sign(x + shift))))
        name = f"block{index + 1}"
        bits = graph.add("sign", x, f"{name}.bits", {"threshold": -block.shift})
        x = graph.bconv(bits, name, block.conv, block.norm, block.slope, pad=(0, 0, 1, 1), pad_value=1, residual=x)
        yield index + 1, x


def command_graph(net, rows=98, bands=64):
    graph = Graph(rows, bands, 1)
    exits = 0
    for count, x in command_trunk(graph, net):
        if str(count) in net.heads:
            exits += 1
            graph.exit(x, f"exit{exits}", net.heads[str(count)].dense, "time", "relu")
    return graph
