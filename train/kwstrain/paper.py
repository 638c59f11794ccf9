"""The backbones of the paper by name, and what they weigh."""
from .birealnet import birealnet
from .densenets import binarydensenet, meliusnet
from .quicknet import quicknet

BACKBONES = {
    "quicknet": quicknet,
    "birealnet": birealnet,
    "binarydensenet": binarydensenet,
    "meliusnet": meliusnet,
}
# The paper's Table 1.
PARAMETERS = {"quicknet": 12.7e6, "birealnet": 11.2e6, "binarydensenet": 4.56e6, "meliusnet": 6.44e6}


def build(about):
    """The network that a checkpoint of train_paper.py is of, from its `about`."""
    return BACKBONES[about["net"]](len(about["labels"]), about["latent"], about["single_exit"])


def parameters(net):
    """Numbers that training sets."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
