"""Does an exported graph compute what PyTorch does? And does the C engine compute the graph?

PyTorch sums floats in another order. Where a value lies within that rounding of a sign's threshold, one bit may fall on
the other side and everything after it differs. So PyTorch is compared twice: as it is, and with the graph's bits put into
its binary convolutions. With them every sum must be the same integer and every probability the same within TOLERANCE,
and a bit that PyTorch would have set otherwise must have lain within MARGIN of its threshold.
"""
import pathlib
import subprocess
import tempfile

import numpy as np
import torch

from . import reference
from .same import pad_same
from .safetensors import save

TOLERANCE = 1e-4  # of a probability
MARGIN = 1e-3  # of a float before a sign; such values are of the order of 1
ENGINE = pathlib.Path(__file__).parents[2] / "build" / "tests" / "test-vectors"


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


class _Forced:
    """Puts the reference's bits into each binary convolution, checks what it would have been given and what it returns."""

    def __init__(self, net, graph, maps):
        self.graph, self.maps = graph, maps
        self.flips, self.far, self.sums = 0, 0, 0  # other bits; those far from the threshold; other sums
        by_output = {op["out"]: op for op in graph.ops}
        convs = [op for op in graph.ops if op["op"] == "bconv2d"]
        self.hooks = []
        for conv, op in zip(net.binary_convs(), convs, strict=True):
            self.hooks.append(conv.register_forward_pre_hook(self._input(conv, op, by_output[op["in"]])))
            self.hooks.append(conv.register_forward_hook(self._output(conv, op)))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for hook in self.hooks:
            hook.remove()

    def _input(self, conv, op, sign):
        bits = torch.from_numpy(self.maps[op["in"]].astype(np.float32)).permute(2, 0, 1)[None]
        before = (0, 0) if conv.padding else (op["pad"][0], op["pad"][2])
        wanted = bits if conv.padding else pad_same(bits, 3, conv.stride, float(op["pad_value"]))

        def hook(module, inputs):
            other = (inputs[0] != wanted).nonzero().numpy()
            self.flips += len(other)
            self.far += sum(not self._near(sign, channel, row - before[0], band - before[1]) for _, channel, row, band in other)
            return (wanted,)

        return hook

    def _near(self, sign, channel, row, band):
        """Whether a float lies next to its threshold."""
        sources = sign["in"] if isinstance(sign["in"], list) else [sign["in"]]
        x = np.concatenate([self.maps[source].astype(np.float32) for source in sources], axis=2)
        threshold = self.graph.tensors[sign["threshold"]][channel] if "threshold" in sign else 0
        integer = np.concatenate([np.full(self.maps[s].shape[2], s in self.graph.integers) for s in sources])[channel]
        return not integer and abs(x[row, band, channel] - threshold) < MARGIN

    def _output(self, conv, op):
        plain = {key: value for key, value in op.items() if key not in ("act", "residual")} | {"output": "int16"}
        sums = reference.bconv2d(self.maps[op["in"]], plain, self.graph.tensors, None)
        wanted = torch.from_numpy(sums.astype(np.float32)).permute(2, 0, 1)[None] * conv.scale().detach().view(1, -1, 1, 1)

        def hook(module, inputs, output):
            self.sums += (output != wanted).sum().item()

        return hook


class Agreement:
    """Counts over windows."""

    def __init__(self, net, graph):
        self.net, self.graph = net, graph
        self.windows, self.logits = [], []
        self.plain, self.forced, self.labels = [], [], 0
        self.flips, self.far, self.sums = 0, 0, 0

    def _difference(self, wanted, x):
        with torch.no_grad():
            got = np.stack([z[0].numpy() for z in self.net(x)])
        return np.abs(softmax(got) - softmax(wanted)).max(), (got.argmax(1) != wanted.argmax(1)).sum()

    def add(self, window):
        """`window`: (rows, bands) float32"""
        maps = reference.run_maps(self.graph.ops, self.graph.tensors, window)
        logits = reference.exits(self.graph.ops, maps)
        x = torch.from_numpy(window)[None, None]
        self.plain.append(self._difference(logits, x)[0])
        with _Forced(self.net, self.graph, maps) as forced:
            difference, labels = self._difference(logits, x)
        self.forced.append(difference)
        self.labels += labels
        self.flips, self.far, self.sums = self.flips + forced.flips, self.far + forced.far, self.sums + forced.sums
        self.windows.append(window)
        self.logits.append(logits)

    def failed(self):
        return self.labels > 0 or self.far > 0 or self.sums > 0 or max(self.forced) > TOLERANCE

    def __str__(self):
        near = sum(difference <= TOLERANCE for difference in self.plain)
        return (f"{len(self.plain)} windows, PyTorch as it is: {near} within {TOLERANCE:g} (largest difference "
                f"{max(self.plain):.1e}); with the same bits: largest difference {max(self.forced):.1e}, {self.labels} other "
                f"labels, {self.sums} other sums; {self.flips} bits fell otherwise, {self.far} of them far from the threshold")

    def run_engine(self, engine=ENGINE):
        """Whether the C engine gives every exit's logits of every window bit for bit."""
        with tempfile.TemporaryDirectory() as folder:
            model = pathlib.Path(folder) / "model.safetensors"
            labels = [f"class{i}" for i in range(self.logits[0].shape[1])]
            self.graph.save(model, "model", labels, "none", "none")
            save(model.with_suffix(".vectors.safetensors"),
                 {"windows": np.stack(self.windows), "logits": np.stack(self.logits)}, {})
            ran = subprocess.run([engine, model], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if ran.returncode != 0:
            print(ran.stdout)
        return ran.returncode == 0
