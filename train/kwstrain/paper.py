"""The backbones of the paper by name."""
from .quicknet import quicknet

BACKBONES = {
    "quicknet": quicknet,
}
