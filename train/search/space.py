"""What can be searched: where an exit leaves the backbone and what its branch consists of.

As in AEBNAS (Robben, Khalilian, Meratnia: arXiv 2512.10671) a branch has no, one or two convolution modules
before pooling and the dense layer, and an exit may be absent. Ours are binary and, like the backbone, without
padding in time, so that the searched network streams."""
import dataclasses

from kwstrain.commandnet import BLOCKS

STEM_ROWS = 23  # of a window, after the stem; each block takes two
POSITIONS = sum(BLOCKS) - 1  # the last block has the last exit, which the search leaves alone
EXITS = 4
KERNELS = (3, 5)
WIDTHS = (32, 64, 128)
POOLS = ("time", "all")
# What the thresholds of an individual are tuned for: points of accuracy that it gives for a whole network's cost.
PENALTIES = (0.5, 1.0, 2.0, 4.0, 8.0)

# Upper bounds of the genes (inclusive): per exit position (0: absent), modules, kernel, width, pool; then the penalty.
EXIT_GENES = (POSITIONS, 2, len(KERNELS) - 1, len(WIDTHS) - 1, len(POOLS) - 1)
GENE_MAX = EXIT_GENES * EXITS + (len(PENALTIES) - 1,)


@dataclasses.dataclass(frozen=True, order=True)
class Branch:
    position: int  # it leaves after this many blocks
    modules: int
    kernel: int  # of a module; 0 without modules, like the width
    width: int
    pool: str

    def __str__(self):
        modules = f"{self.modules} x {self.kernel}x{self.kernel} binary, {self.width} channels, " if self.modules else ""
        return f"after block {self.position}: {modules}mean over {self.pool}"


def rows_at(position):
    return STEM_ROWS - 2 * position


def make_branch(position, modules, kernel, width, pool):
    """The branch nearest to the wish that fits: each module takes kernel - 1 rows, and one must remain."""
    while modules and modules * (kernel - 1) >= rows_at(position):
        if kernel > KERNELS[0]:
            kernel = KERNELS[0]
        else:
            modules -= 1
    return Branch(position, modules, kernel, width, pool) if modules else Branch(position, 0, 0, 0, pool)


def decode(genome):
    """(branches in the order of depth, one for a position at most; penalty)."""
    branches = {}
    for start in range(0, EXITS * len(EXIT_GENES), len(EXIT_GENES)):
        position, modules, kernel, width, pool = genome[start : start + len(EXIT_GENES)]
        if position and position not in branches:
            branches[position] = make_branch(position, modules, KERNELS[kernel], WIDTHS[width], POOLS[pool])
    return [branches[p] for p in sorted(branches)], PENALTIES[genome[-1]]


def encode(branches, penalty):
    """A genome of up to EXITS branches; the inverse of decode()."""
    genome = []
    for branch in branches:
        genome += [branch.position, branch.modules, KERNELS.index(branch.kernel or KERNELS[0]),
                   WIDTHS.index(branch.width or WIDTHS[0]), POOLS.index(branch.pool)]
    genome += [0] * len(EXIT_GENES) * (EXITS - len(branches))
    return genome + [PENALTIES.index(penalty)]


def hand_made(penalty=1.0):
    """The shipped model's exits as a point of the space."""
    from kwstrain.commandnet import EXIT_AFTER

    return encode([Branch(position, 0, 0, 0, "time") for position in EXIT_AFTER[:-1]], penalty)
