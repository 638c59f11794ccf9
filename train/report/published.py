"""What A. Saeed, "Binary Early-Exit Network for Adaptive Inference on Low-Resource Devices" (Interspeech 2022, arXiv
2206.09029) prints, as far as its tables could be read here. None: not read."""
import collections

PAPER = ("A. Saeed, \"Binary Early-Exit Network for Adaptive Inference on Low-Resource Devices\", Interspeech 2022, "
         "[arXiv 2206.09029](https://arxiv.org/abs/2206.09029)")

# Table 1: millions of parameters, MiB as float32 and MiB with binary weights. Table 2, Speech Commands: accuracy in % of
# each exit of the network with five, and of the last exit of one trained alone.
Network = collections.namedtuple("Network", "title parameters float_mib binary_mib exits single")

NETWORKS = {
    "quicknet": Network("QuickNet", 12.7, 48.54, 2.23, (None, None, None, None, 95.1), 94.4),
    "birealnet": Network("Bi-Real Net 18", 11.2, 42.63, 2.04, (90, None, None, None, 93.9), 91.7),
    # The float size that the paper prints, 42.63, is Bi-Real Net's once more.
    "binarydensenet": Network("BinaryDenseNet-28", 4.56, None, 1.85, (93, None, None, 96.0, 95.9), 93.6),
    "meliusnet": Network("MeliusNet-22", 6.44, 24.56, 1.94, (None, None, None, None, 94.9), 94.9),
}
DELTAS = (0.1, 0.25, 0.5, 0.75, 1.0)
EXITS = 5
