#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A whole network, all exits, one thread: the C engine beside the same network in PyTorch float32.

usage: bench_quicknet.py [--json FILE] BENCH-NETWORKS MODEL

The network in PyTorch is made from the model file: float convolutions with weights of +-1, batch norm
in evaluation mode. It is tried eagerly and compiled (frozen, optimised for inference), in both memory
layouts; the fastest of them counts. The two programs take turns, and the logits of both must agree.
"""
import copy
import functools
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROUNDS = 15
DIFFERENCE_MAX = 0.05  # float sums in another order can turn single signs
SLICE_S = 0.05  # of a round, for each way in PyTorch


def skip(why):
    print(f"quicknet: left out: {why}")
    sys.exit(0)


try:
    os.environ["OMP_NUM_THREADS"] = "1"
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    skip(f"{error} (./dev deps train installs PyTorch)")


def read_model(path):
    """The graph, and the tensors by name."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    graph = json.loads(header.pop("__metadata__")["kws.graph"])
    types = {"F32": np.float32, "U32": np.uint32, "I32": np.int32}
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
    return graph, tensors


def signs(words, channels):
    """U32 [out][rows][bands][words] to floats of +-1, [out][channels][rows][bands]."""
    bits = words[..., None] >> np.arange(32, dtype=np.uint32) & 1
    bits = bits.reshape(*words.shape[:3], -1)[..., :channels]
    return torch.from_numpy(1.0 - 2.0 * bits.astype(np.float32)).permute(0, 3, 1, 2).contiguous()


class Network(torch.nn.Module):
    """A model file's graph in PyTorch."""

    def __init__(self, graph, tensors):
        super().__init__()
        self.steps = []
        self.tensors = tensors
        self.channels = {}
        for entry in graph:
            build = getattr(self, "build_" + entry["op"], None)
            if build is None:
                skip(f"operation {entry['op']} has no counterpart here")
            build(entry)

    def forward(self, x):
        maps = {"input": x}
        exits = []
        for source, out, residual, step in self.steps:
            y = step(maps[source])
            if residual is not None:
                y = y + maps[residual]
            if out is None:
                exits.append(y)
            else:
                maps[out] = y
        return tuple(exits)

    def add(self, entry, step, channels, exit=False):
        self.steps.append((entry["in"], None if exit else entry["out"], entry.get("residual"), step))
        self.channels[entry["out"]] = channels

    def keep(self, entry, key, value=None):
        """A tensor of the file as a buffer, so that the optimiser sees a constant."""
        if value is None:
            if key not in entry:
                return None
            value = torch.from_numpy(self.tensors[entry[key]].copy())
        name = f"{entry['out']}_{key}".replace(".", "_")
        self.register_buffer(name, value)
        return name

    def build_input(self, entry):
        self.channels[entry["out"]] = entry["shape"][2]

    def build_conv2d(self, entry):
        weight = torch.from_numpy(self.tensors[entry["weight"]].copy()).permute(3, 2, 0, 1).contiguous()
        weight = self.keep(entry, "weight", weight)
        bias = self.keep(entry, "bias")
        stride, groups, relu = entry.get("stride", [1, 1]), entry.get("groups", 1), entry.get("act") == "relu"
        before, after, left, right = entry.get("pad", [0, 0, 0, 0])

        def step(x):
            pad = (0, 0)
            if (before, left) == (after, right):
                pad = (before, left)
            elif before or after or left or right:
                x = F.pad(x, (left, right, before, after))
            b = getattr(self, bias) if bias else None
            y = F.conv2d(x, getattr(self, weight), b, stride, pad, 1, groups)
            return F.relu(y) if relu else y
        self.add(entry, step, self.tensors[entry["weight"]].shape[3])

    def build_sign(self, entry):
        threshold = None
        if "threshold" in entry and np.any(self.tensors[entry["threshold"]]):
            value = torch.from_numpy(self.tensors[entry["threshold"]].copy()).view(1, -1, 1, 1)
            threshold = self.keep(entry, "threshold", value)
        one = self.keep(entry, "one", torch.ones(()))
        self.add(entry, lambda x: torch.copysign(getattr(self, one), x - getattr(self, threshold) if threshold else x),
                 self.channels[entry["in"]])

    def build_bconv2d(self, entry):
        channels = self.channels[entry["in"]]
        weight = self.keep(entry, "weight", signs(self.tensors[entry["weight"]], channels))
        slope = self.keep(entry, "slope")
        outputs = getattr(self, weight).shape[0]
        relu = entry.get("act") == "relu"
        scale = self.keep(entry, "scale") or self.keep(entry, "scale", torch.ones(outputs))
        bias = self.keep(entry, "bias") or self.keep(entry, "bias", torch.zeros(outputs))
        mean = self.keep(entry, "mean", torch.zeros(outputs))
        variance = self.keep(entry, "variance", torch.ones(outputs))
        stride, pad_value = entry.get("stride", [1, 1]), float(entry.get("pad_value", 1))
        before, after, left, right = entry.get("pad", [0, 0, 0, 0])

        def step(x):
            pad = (0, 0)
            if pad_value == 0 and (before, left) == (after, right):
                pad = (before, left)
            elif before or after or left or right:
                x = F.pad(x, (left, right, before, after), value=pad_value)
            y = F.conv2d(x, getattr(self, weight), None, stride, pad)
            if relu:
                y = F.relu(y)
            elif slope:
                y = F.prelu(y, getattr(self, slope))
            return F.batch_norm(y, getattr(self, mean), getattr(self, variance), getattr(self, scale),
                                getattr(self, bias), eps=0.0)
        self.add(entry, step, outputs)

    def build_maxpool2d(self, entry):
        kernel, stride, relu = entry.get("kernel", [1, 1]), entry.get("stride", [1, 1]), entry.get("act") == "relu"
        if any(entry.get("pad", [])):
            skip("pooling with padding has no counterpart here")
        self.add(entry, lambda x: F.max_pool2d(F.relu(x) if relu else x, kernel, stride), self.channels[entry["in"]])

    def build_exit(self, entry):
        weight, bias = self.keep(entry, "weight"), self.keep(entry, "bias")
        relu, bands = entry.get("act") == "relu", entry["pool"] == "all"

        def step(x):
            x = F.relu(x) if relu else x
            x = x.mean((2, 3)) if bands else x.mean(2).transpose(1, 2).flatten(1)
            return F.linear(x, getattr(self, weight), getattr(self, bias) if bias else None)
        self.add(entry, step, None, exit=True)


class Engine:
    """bench-networks taking turns with us."""

    def __init__(self, program, model, window):
        with tempfile.NamedTemporaryFile() as file:
            file.write(window.tobytes())
            file.flush()
            self.process = subprocess.Popen([program, "--turns", model, file.name], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True)
            print(self.process.stdout.readline(), end="")
            line = self.process.stdout.readline()
        if not line:
            skip(f"{model} did not run")
        self.logits = np.array(line.split(), np.float32)

    def turn(self):
        """Nanoseconds of the whole network and of its binary layers alone."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return [float(ns) for ns in self.process.stdout.readline().split()]


def ways_of(network, window):
    """The same network in every way that PyTorch has: name to a call."""
    ways = {}
    for layout, memory_format in (("NCHW", torch.contiguous_format), ("NHWC", torch.channels_last)):
        eager = network.to(memory_format=memory_format)
        x = window.to(memory_format=memory_format)
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(copy.deepcopy(eager), x)))
        ways[f"eager {layout}"] = functools.partial(eager, x)
        ways[f"compiled {layout}"] = functools.partial(traced, x)
        network = copy.deepcopy(network)
    return ways


def time_ns(call):
    """The fastest call in a slice of time."""
    end = time.perf_counter_ns() + SLICE_S * 1e9
    best = None
    while best is None or time.perf_counter_ns() < end:
        start = time.perf_counter_ns()
        call()
        taken = time.perf_counter_ns() - start
        best = taken if best is None else min(best, taken)
    return best


def difference(engine, network, window):
    """Root mean square of the logits' differences, as a share of their own."""
    ours = engine.logits
    theirs = torch.cat([exit.flatten() for exit in network(window)]).numpy()
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(ours))


def compare(program, model):
    graph, tensors = read_model(pathlib.Path(model))
    network = Network(graph, tensors).eval()
    rows, bands, channels = graph[0]["shape"]
    values = np.random.default_rng(1).uniform(-1, 1, (rows, bands, channels)).astype(np.float32)
    window = torch.from_numpy(values).permute(2, 0, 1)[None]
    engine = Engine(program, model, values)
    apart = difference(engine, network, window)
    print(f"logits differ from PyTorch's by {100 * apart:.2f} %")
    if apart > DIFFERENCE_MAX:
        sys.exit("quicknet: PyTorch computes another network, nothing to compare")
    ways = ways_of(network, window)
    rounds = {name: [] for name in [*ways, "whole", "binary layers"]}
    for call in ways.values():
        call()
        time_ns(call)
    for _ in range(ROUNDS):
        for name, call in ways.items():
            rounds[name].append(time_ns(call))
        whole, binary = engine.turn()
        rounds["whole"].append(whole)
        rounds["binary layers"].append(binary)
    return {name: {"us": min(times) / 1e3, "spread": statistics.median(times) / min(times) - 1}
            for name, times in rounds.items()}


def report(name, times):
    best = min((way for way in times if way not in ("whole", "binary layers")), key=lambda way: times[way]["us"])
    for way, figure in times.items():
        label = way if way in ("whole", "binary layers") else f"PyTorch {way}"
        print(f"{label:24} {figure['us']:10.1f} us  spread {100 * figure['spread']:3.0f} %")
    whole = times["whole"]["us"]
    ratio, share = times[best]["us"] / whole, whole / times["binary layers"]["us"]
    print(f"{name}, all exits: {ratio:.1f} times faster than PyTorch float32 ({best}), "
          f"{share:.2f} times its binary layers alone")
    return {"network": name, "times": times, "pytorch": best, "times_faster": ratio, "times_binary_layers": share}


def main():
    arguments = sys.argv[1:]
    path = None
    if arguments[:1] == ["--json"]:
        path, arguments = arguments[1], arguments[2:]
    if len(arguments) != 2:
        sys.exit(__doc__)
    program, model = arguments
    if not pathlib.Path(model).exists():
        skip(f"there is no {model}")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with torch.inference_mode():
        result = report(pathlib.Path(model).stem, compare(program, model))
    if path:
        pathlib.Path(path).write_text(json.dumps({"benchmark": "quicknet", "torch": torch.__version__, **result}, indent=1))


if __name__ == "__main__":
    main()
