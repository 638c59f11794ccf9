"""A backbone with searched branches as a graph of the C engine."""
import numpy as np

from kwstrain.export import Graph, command_trunk, fold
from kwstrain.reference import pack_bits


def add_branch(graph, source, name, net):
    """The modules, then the exit `name`."""
    x = source
    for index, module in enumerate(net.convs):
        side = module.kernel // 2
        bits = graph.add("sign", x, f"{name}.bits{index + 1}", {"threshold": -module.shift})
        scale, bias = fold(module.norm)
        signs = np.where(module.weight.detach().numpy() >= 0, 1, -1).transpose(0, 2, 3, 1)
        x = graph.add("bconv2d", bits, f"{name}.conv{index + 1}",
                      {"weight": pack_bits(signs), "slope": module.slope, "scale": scale, "bias": bias},
                      stride=[1, 2], pad=[0, 0, side, side], pad_value=1)
    graph.exit(x, name, net.dense, net.pool, "relu")


def graph_of(backbone, branches, last=None, rows=98, bands=64):
    """`branches`: {position: BranchNet}. Stops after block `last`, where a branch must be; without it the
    graph ends with the backbone's own last exit."""
    graph = Graph(rows, bands, 1)
    exits = 0
    for count, x in command_trunk(graph, backbone):
        if count in branches:
            exits += 1
            add_branch(graph, x, f"exit{exits}", branches[count])
        if count == last:
            return graph
    graph.exit(x, f"exit{exits + 1}", backbone.heads[str(len(backbone.blocks))].dense, "time", "relu")
    return graph
