"""The backbones of the paper by name, and what they weigh."""
import torch

from .birealnet import birealnet
from .densenets import binarydensenet, meliusnet
from .quicknet import quicknet

BACKBONES = {
    "quicknet": quicknet,
    "birealnet": birealnet,
    "binarydensenet": binarydensenet,
    "meliusnet": meliusnet,
}
EXITS = 5
# The paper's Table 1.
PARAMETERS = {"quicknet": 12.7e6, "birealnet": 11.2e6, "binarydensenet": 4.56e6, "meliusnet": 6.44e6}


def build(about):
    """The network that a checkpoint of train_paper.py is of, from its `about`."""
    return BACKBONES[about["net"]](len(about["labels"]), about["latent"], about["exits"])


def name(about):
    """The name of the model: the network's, and of one with a single exit its number, as ./dev paper looks for it."""
    exits = about["exits"] or range(1, EXITS + 1)
    if len(exits) == EXITS:
        return about["net"]
    return f"{about['net']}-single-{exits[0]}" if len(exits) == 1 else f"{about['net']}-exits-{'-'.join(map(str, exits))}"


def load(checkpoint):
    """(about, network in evaluation mode) of a checkpoint of train_paper.py"""
    if not checkpoint.exists():
        raise SystemExit(f"{checkpoint}: no such checkpoint")
    state = torch.load(checkpoint, map_location="cpu")
    if (state.get("about") or {}).get("net") not in BACKBONES:
        raise SystemExit(f"{checkpoint}: not a checkpoint of train_paper.py")
    net = build(state["about"])
    net.load_state_dict(state["net"])
    return state["about"], net.eval()


def parameters(net):
    """Numbers that training sets."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
