"""The streaming command network: no padding in time, so each row is a function of the stream."""
import torch
from torch import nn
import torch.nn.functional as F

from .layers import BinaryBlock, Head

STEM_CHANNELS = 32
WIDTHS = (64, 128, 256)
BLOCKS = (4, 4, 3)  # 98 frames -> 23 rows after the stem -> 15 -> 7 -> 1
EXIT_AFTER = (2, 4, 6, 8, 11)


class Stem(nn.Module):
    """98x64 -> 23x16: float 3x3/2, BN, ReLU, depthwise 3x3/2, BN, 1x1, BN."""

    def __init__(self, channels, out):
        super().__init__()
        self.conv = nn.Conv2d(1, channels, 3, stride=2, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.depthwise = nn.Conv2d(channels, channels, 3, stride=2, groups=channels, bias=False)
        self.norm2 = nn.BatchNorm2d(channels, affine=False)
        self.point = nn.Conv2d(channels, out, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(out)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv(F.pad(x, (0, 1, 0, 0)))))
        x = self.norm2(self.depthwise(F.pad(x, (0, 1, 0, 0))))
        return self.norm3(self.point(x))


class Transition(nn.Module):
    """Half the frequencies, more channels: max pool 1x2, 1x1, BN."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.point = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.norm = nn.BatchNorm2d(c_out, eps=1e-5)

    def forward(self, x):
        return self.norm(self.point(F.max_pool2d(x, (1, 2))))


class CommandNet(nn.Module):
    """Input (N, 1, 98, 64), output the five exits' logits."""

    def __init__(self, classes):
        super().__init__()
        self.stem = Stem(STEM_CHANNELS, WIDTHS[0])
        self.blocks = nn.ModuleList()
        self.transitions = nn.ModuleDict()  # by the number of blocks before it
        self.heads = nn.ModuleDict()
        bands = 16
        for section, (width, count) in enumerate(zip(WIDTHS, BLOCKS)):
            if section > 0:
                self.transitions[str(len(self.blocks))] = Transition(WIDTHS[section - 1], width)
                bands //= 2
            for _ in range(count):
                self.blocks.append(BinaryBlock(width))
                if len(self.blocks) in EXIT_AFTER:
                    self.heads[str(len(self.blocks))] = Head(width, bands, classes)
        self.to(memory_format=torch.channels_last)  # faster so

    def walk(self, x):
        """Yields (number of blocks, their output) block after block."""
        x = self.stem(x)
        for index, block in enumerate(self.blocks):
            if str(index) in self.transitions:
                x = self.transitions[str(index)](x)
            x = block(x)
            yield index + 1, x

    def forward(self, x):
        return [self.heads[str(count)](y) for count, y in self.walk(x) if str(count) in self.heads]

    def binary_convs(self):
        return [block.conv for block in self.blocks]


def load(checkpoint, labels):
    """The network of a checkpoint of train_commands.py or train_wake.py, in evaluation mode. Old ones do not tell their
    labels: of these the number has to do."""
    if not checkpoint.exists():
        raise SystemExit(f"{checkpoint}: no such checkpoint")
    state = torch.load(checkpoint, map_location="cpu")
    about = state.get("about") or {"labels": labels}
    if "net" in about:
        raise SystemExit(f"{checkpoint}: not of train_commands.py or train_wake.py but a network called {about['net']}")
    if about["labels"] != labels:
        raise SystemExit(f"{checkpoint}: its labels are {' '.join(about['labels'])}, not {' '.join(labels)}")
    net = CommandNet(len(labels))
    try:
        net.load_state_dict(state["net"])
    except RuntimeError:
        raise SystemExit(f"{checkpoint}: not a command network with {len(labels)} labels")
    return net.eval()
