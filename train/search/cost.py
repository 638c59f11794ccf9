"""What branches cost: the C engine's time for a window on this machine, with its fastest kernels."""
import json
import pathlib
import tempfile

from kwstrain.data import LABELS
from kwstrain.features import FrontEnd
from report.engine import Engine
from search.branches import BranchNet
from search.export import graph_of
from search.space import Branch

ROOT = pathlib.Path(__file__).parents[2]
ROUNDS = 3  # of the whole program, of which the fastest counts: what else runs here only ever slows it down


class Cost:
    """Measures on demand; microseconds of a window alone. Kept in a file, since a measurement takes a second."""

    def __init__(self, backbone, path, program=ROOT / "build-release" / "bench" / "bench-networks"):
        if not program.exists():
            raise SystemExit(f"{program} is missing: run ./dev bench networks first")
        self.backbone, self.path, self.program = backbone, path, program
        self.features = FrontEnd().describe()
        self.known = json.loads(path.read_text()) if path.exists() else {}

    def _measure(self, graph):
        """Of each exit of the graph."""
        with tempfile.TemporaryDirectory() as folder:
            model = pathlib.Path(folder) / "branch.safetensors"
            graph.save(model, "branch", LABELS, self.features, "")
            _, times = Engine(bench=self.program).times_us({"branch": model}, ROUNDS)
        return times["branch"]

    def _known(self, key, make_graph):
        if key not in self.known:
            self.known[key] = self._measure(make_graph())[-1]
            self.path.write_text(json.dumps(self.known, indent=1))
        return self.known[key]

    def trunk_us(self, position):
        """The backbone up to a block, with the smallest of heads."""
        least = BranchNet(Branch(position, 0, 0, 0, "all"), len(LABELS)).eval()
        return self._known(f"up to block {position}", lambda: graph_of(self.backbone, {position: least}, last=position))

    def branch_us(self, branch, net):
        """Beside the backbone up to where it leaves."""
        whole = self._known(
            str(branch), lambda: graph_of(self.backbone, {branch.position: net.eval()}, last=branch.position))
        return max(0.0, whole - self.trunk_us(branch.position))

    def full_us(self):
        """The backbone with its last exit only."""
        return self._known("the last exit", lambda: graph_of(self.backbone, {}))
