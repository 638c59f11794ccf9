#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/tiny-*.safetensors and their test vectors: small random networks that together use every attribute of
every operation, with odd shapes and channel counts on both sides of the word sizes; and the four backbones of the paper with
few channels, exported from PyTorch."""
import json
import pathlib

import numpy as np

from kwstrain import reference, thresholds
from kwstrain.paper import BACKBONES
from kwstrain.randomise import tiny, windows
from kwstrain.reference import pack_bits
from kwstrain.safetensors import save

OUT = pathlib.Path(__file__).resolve().parents[1] / "tests" / "data"
WINDOWS = 3


class Network:
    """Operations in a row, each reading what the one before made."""

    def __init__(self, name, seed, shape):
        self.name = name
        self.rng = np.random.default_rng(seed)
        self.ops = [{"op": "input", "out": "x", "shape": shape}]
        self.tensors = {}
        self.last, self.channels = "x", shape[2]

    def eighths(self, *shape):
        """Few different exact values, 0 among them, so that values and thresholds often are equal."""
        return (self.rng.integers(-16, 17, shape) / 8).astype(np.float32)

    def add(self, op, tensors=None, **attributes):
        out = f"{op}{len(self.ops)}"
        entry = {"op": op, "in": self.last, "out": out, **attributes}
        for key, value in (tensors or {}).items():
            self.tensors[f"{out}.{key}"] = value
            entry[key] = f"{out}.{key}"
        self.ops.append(entry)
        if op != "exit":
            self.last = out
        return out

    def conv(self, kernel, channels, bias=True, **attributes):
        weight = self.eighths(*kernel, self.channels // attributes.get("groups", 1), channels)
        self.channels = channels
        return self.add("conv2d", {"weight": weight, **({"bias": self.eighths(channels)} if bias else {})}, **attributes)

    def join(self, maps, channels):
        """The next operation reads these maps side by side."""
        self.last, self.channels = maps, channels

    def sign(self, threshold=None, flip=False):
        """`threshold`: None, or the step of random ones."""
        tensors = {} if threshold is None else {"threshold": self.eighths(self.channels) * np.float32(8 * threshold)}
        if flip:
            tensors["flip"] = pack_bits(self.rng.choice([-1, 1], self.channels))
        return self.add("sign", tensors)

    def bconv(self, kernel, channels, transform=(), **attributes):
        signs = self.rng.choice([-1, 1], (channels, *kernel, self.channels))
        tensors = {"weight": pack_bits(signs), **{key: self.eighths(channels) for key in transform}}
        self.channels = channels
        return self.add("bconv2d", tensors, **attributes)

    def exit(self, features, bias=True, **attributes):
        tensors = {"weight": self.rng.normal(0, 0.3, (3, features)).astype(np.float32)}
        if bias:
            tensors["bias"] = self.eighths(3)
        self.add("exit", tensors, **attributes)

    def save(self):
        inputs = self.eighths(WINDOWS, *self.ops[0]["shape"])
        inputs[inputs == 0] = np.float32(-0.0)  # sign(-0.0) is +1
        save_model(self.name, self.ops, self.tensors, inputs)


def save_model(name, ops, tensors, inputs):
    """The model and its test vectors."""
    logits = np.stack([reference.run(ops, tensors, window) for window in inputs])
    save(OUT / f"{name}.safetensors", tensors, {
        "kws.format": "1", "kws.name": name, "kws.labels": json.dumps(["one", "two", "three"]),
        "kws.features": "none", "kws.card": "Random numbers.", "kws.graph": json.dumps(ops)})
    save(OUT / f"{name}.vectors.safetensors", {"windows": inputs, "logits": logits}, {})


def strides():
    """Strides and paddings in both directions, both pad values, 3 to 33 to 65 to 100 channels."""
    net = Network("tiny-strides", 1, [13, 9, 1])
    net.conv((3, 3), 3, stride=[2, 2], pad=[1, 1, 1, 1], act="relu")  # 7x5
    net.sign()
    net.bconv((3, 3), 33, pad=[1, 1, 1, 1], pad_value=0)  # 7x5
    net.sign(threshold=1)
    net.bconv((3, 2), 65, ("slope", "scale", "bias"), stride=[2, 1], pad=[2, 0, 0, 1], pad_value=1)  # 4x5
    net.exit(5 * 65, pool="time", act="relu")
    net.sign(threshold=0.25)
    net.bconv((2, 2), 100, ("scale",), stride=[1, 2], pad=[0, 1, 0, 1])  # 4x3
    net.exit(100, pool="all", act="none")
    net.sign()
    net.bconv((1, 3), 5, ("bias",), pad=[0, 0, 2, 2], pad_value=0)  # 4x5
    net.exit(5, pool="all", bias=False)
    net.save()


def residuals():
    """Residuals around kernels that eat rows; depthwise convolution; 64 channels, a word exactly."""
    net = Network("tiny-residuals", 2, [16, 6, 4])
    stem = net.conv((1, 1), 64, bias=False)
    net.sign(threshold=0.5)
    block = net.bconv((3, 3), 64, ("slope", "scale", "bias"), pad=[0, 0, 1, 1], residual=stem)  # 14x6
    net.exit(6 * 64, pool="time", act="relu")
    net.sign(threshold=1)
    net.bconv((5, 1), 64, ("slope",), pad=[1, 1, 0, 0], pad_value=0, residual=block)  # 12x6
    net.conv((3, 3), 64, groups=64, pad=[2, 0, 1, 1], act="relu")  # 12x6
    net.add("maxpool2d", kernel=[2, 2], stride=[1, 1])  # 11x5
    net.exit(5 * 64, pool="time")
    net.add("maxpool2d", kernel=[3, 2], stride=[2, 2])  # 5x2
    net.exit(64, pool="all", act="relu")
    net.save()


def words():
    """Bits of the input itself; more words at a position than a byte counter holds; one row, one band."""
    net = Network("tiny-words", 3, [5, 5, 96])
    net.sign(threshold=0.125)
    net.bconv((5, 5), 7)  # 1x1, sums of 2400 products
    net.exit(7, pool="time")
    net.sign(threshold=2)
    net.bconv((1, 1), 1)
    net.exit(1, pool="all")
    net.save()


def pools():
    """Groups of channels; pools whose windows hang over every edge; a residual beside a stride."""
    net = Network("tiny-pools", 4, [14, 11, 6])
    net.conv((3, 3), 6, groups=2, pad=[0, 1, 1, 1])  # 13x11, 3 channels a group
    net.conv((1, 2), 18, groups=6, act="relu")  # 13x10, three filters for each channel
    net.add("maxpool2d", kernel=[3, 3], stride=[2, 2], pad=[1, 2, 0, 1], act="relu")  # 7x5
    net.exit(5 * 18, pool="time")
    wide = net.add("maxpool2d", kernel=[2, 3], stride=[2, 2], pad=[0, 1, 1, 2])  # 4x3
    net.last = "maxpool2d3"
    net.sign(threshold=0.5)
    net.bconv((3, 3), 18, ("scale", "bias"), stride=[2, 2], pad=[1, 1, 1, 2], pad_value=0, residual=wide)  # 4x3
    net.exit(18, pool="all", act="relu")
    net.save()


def slices():
    """Maps side by side, not in whole words; bits flipped; batch norm and ReLU over slices."""
    net = Network("tiny-slices", 5, [9, 8, 3])
    net.conv((2, 2), 20, bias=False)  # 8x7
    pool = net.add("avgpool2d", kernel=[3, 2], stride=[2, 2], pad=[1, 1, 0, 1])  # 4x4
    wide = net.conv((3, 3), 70, pad=[1, 1, 1, 1])
    net.join([pool, wide, pool], 20 + 70 + 20)
    net.sign(threshold=1, flip=True)
    net.bconv((3, 3), 40, ("scale", "bias"), pad=[1, 1, 1, 1])
    net.join([net.last, pool], 40 + 20)
    net.add("concat", {"scale": net.eighths(60), "bias": net.eighths(60)}, act="relu")
    net.exit(60, pool="all")
    net.join([wide], 70)
    net.add("concat")
    net.exit(4 * 70, pool="time")
    net.save()


def backbone(name, seed=1):
    net, (rows, bands) = tiny(name, seed)
    graph = net.graph(rows, bands)
    if graph.integers:
        assert any(op.get("flip") for op in graph.ops), "no batch norm falls: take another seed"
        bounds = [graph.tensors[op["threshold"]] for op in graph.ops if "threshold" in op]
        assert any((bound == thresholds.INT16[0]).any() for bound in bounds), "no bit is constant: take another seed"
    save_model(f"tiny-{name}", graph.ops, graph.tensors, windows(WINDOWS, rows, bands, seed + 1)[:, 0].numpy())


if __name__ == "__main__":
    for name in BACKBONES:
        backbone(name)
    slices()
    pools()
    strides()
    residuals()
    words()
