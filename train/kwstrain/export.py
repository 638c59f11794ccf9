"""A trained network as a graph of the C engine: batch norm folded, weights packed, one op per step."""
import json

import numpy as np
import torch

from .reference import pack_bits
from .safetensors import save


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
    """The list of operations and the tensors that they name."""

    def __init__(self, rows, bands, channels):
        self.ops = [{"op": "input", "out": "input", "shape": [rows, bands, channels]}]
        self.tensors = {}

    def add(self, op, source, out, tensors=None, **attributes):
        entry = {"op": op, "in": source, "out": out, **attributes}
        for key, value in (tensors or {}).items():
            name = f"{out}.{key}"
            value = value.detach().numpy() if isinstance(value, torch.Tensor) else value
            self.tensors[name] = np.ascontiguousarray(value, np.uint32 if value.dtype == np.uint32 else np.float32)
            entry[key] = name
        self.ops.append(entry)
        return out

    def conv(self, source, out, conv, norm, act="none", pad=(0, 0, 0, 0)):
        """Float convolution and the batch norm after it."""
        scale, bias = fold(norm)
        weight = conv.weight.double() * scale.view(-1, 1, 1, 1)
        groups = {"groups": conv.groups} if conv.groups != 1 else {}
        return self.add("conv2d", source, out, {"weight": weight.permute(2, 3, 1, 0), "bias": bias},
                        stride=list(conv.stride), pad=list(pad), act=act, **groups)

    def block(self, source, out, block):
        """crop(x) + BN(PReLU(bconv(sign(x + shift))))"""
        bits = self.add("sign", source, f"{out}.bits", {"threshold": -block.shift})
        scale, bias = fold(block.norm)
        signs = np.where(block.conv.weight.detach().numpy() >= 0, 1, -1).transpose(0, 2, 3, 1)
        return self.add("bconv2d", bits, out,
                        {"weight": pack_bits(signs), "slope": block.slope, "scale": scale, "bias": bias},
                        pad=[0, 0, 1, 1], pad_value=1, residual=source)

    def head(self, source, out, head):
        return self.add("exit", source, out, {"weight": head.dense.weight, "bias": head.dense.bias}, act="relu", pool="time")

    def save(self, path, name, labels, features, card):
        save(path, self.tensors, {
            "kws.format": "1", "kws.name": name, "kws.labels": json.dumps(labels), "kws.features": features,
            "kws.card": card, "kws.graph": json.dumps(self.ops)})


def command_graph(net, rows=98, bands=64):
    graph = Graph(rows, bands, 1)
    x = graph.conv("input", "stem1", net.stem.conv, net.stem.norm1, "relu", (0, 0, 0, 1))
    x = graph.conv(x, "stem2", net.stem.depthwise, net.stem.norm2, pad=(0, 0, 0, 1))
    x = graph.conv(x, "stem3", net.stem.point, net.stem.norm3)
    exits = 0
    for index, block in enumerate(net.blocks):
        if str(index) in net.transitions:
            transition = net.transitions[str(index)]
            x = graph.add("maxpool2d", x, f"pool{index}", kernel=[1, 2], stride=[1, 2])
            x = graph.conv(x, f"transition{index}", transition.point, transition.norm)
        x = graph.block(x, f"block{index + 1}", block)
        if str(index + 1) in net.heads:
            exits += 1
            graph.head(x, f"exit{exits}", net.heads[str(index + 1)])
    return graph
