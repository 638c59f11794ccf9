"""From material to a model: train, look for what is taken for the phrase, train on, set thresholds, judge."""
import dataclasses
import json

import torch
import torch.nn.functional as F

from kwstrain.data import RATE

from . import engine, examples
from .examples import WORD
from .fit import fit
from .network import Tail, Trunk

EXAMPLES, EPOCHS, MORE_EPOCHS = 12000, 5, 3
HARD_EXAMPLES = 2000  # of what was taken for the phrase, in each round
RECORDED_EXAMPLES = 3000
MINING = {"detector.smoothing_hops": 2, "detector.patience_hops": 1, "detector.refractory_ms": 300}
MINED_FROM = 0.3  # smoothed score
HARD_S = (1.25, 0.1)  # of the stream before and after such a place
THRESHOLDS = [round(0.4 + 0.02 * i, 2) for i in range(30)] + [0.985, 0.99, 0.995]
LEFT_EARLY = 0.003  # of the phrase's windows that may leave at an exit as something else
DELTA_MAX = 0.3


class Course:
    """`model`: where it begins (network.Model); `name` of the keyword; `folder` for drafts; `args`: effort, jobs, seed."""

    def __init__(self, model, name, folder, args):
        self.model, self.name, self.folder = model, name, folder
        self.effort, self.jobs, self.seed = args.effort, args.jobs, args.seed
        self.labels = [name, "_unknown_", "_silence_"]
        self.trunk = Trunk(model, examples.SHIFT).eval()
        self.tail = Tail(self.trunk, len(self.labels)).eval()
        self.pools, self.rounds = [], 0
        self.exits = len(model.exits) + 1
        self.delta = [0.0] * self.exits

    def _count(self, count):
        return max(int(count * self.effort), 2 * examples.BATCH)

    def _epochs(self, count):
        return max(round(count * min(self.effort, 1)), 1)

    def pool(self, maker, shares, count, title):
        self.rounds += 1
        return examples.pool(maker, self.trunk, shares, self._count(count), self.seed + 100 * self.rounds, self.jobs, title)

    def begin(self, material):
        self.pools.append(self.pool(examples.Maker(material), examples.SHARES, EXAMPLES, "examples"))
        fit(self.tail, self.pools, self._epochs(EPOCHS), self.seed, "training")

    def mine(self, material, stream):
        """Adds what the model takes for the phrase where it is not, and trains on. Returns how often that was."""
        draft = self.folder / "draft.safetensors"
        self.save(draft, "draft")
        settings = {**MINING, "exits.policy": f"always-{self.exits}"}
        ((places,),) = engine.scan(draft, [stream], settings, [MINED_FROM])
        before, after = (int(seconds * RATE) for seconds in HARD_S)
        hard = [stream.samples[max(at - before, 0) : at + after] for at in places]
        if hard:
            maker = examples.HardMaker(dataclasses.replace(material, hard=hard))
            count = min(HARD_EXAMPLES, 12 * len(hard) / self.effort)
            self.pools.append(self.pool(maker, (0, 1, 0), count, "false alarms"))
        fit(self.tail, self.pools, self._epochs(MORE_EPOCHS), self.seed + self.rounds, "training on", 0.5)
        return len(hard)

    def train_with_recordings(self, material):
        """Trains on with examples of the user's recordings, the others of the phrase among them."""
        self.pools.append(self.pool(examples.Maker(material), (0.7, 0.3, 0), RECORDED_EXAMPLES, "recordings"))
        fit(self.tail, self.pools, self._epochs(MORE_EPOCHS), self.seed + self.rounds, "training on", 0.5)

    @torch.no_grad()
    def set_deltas(self, material):
        """Entropies below which an exit may answer, from windows of the phrase that were not trained on: the phrase must
        hardly ever leave early as something else."""
        means, parts, _ = self.pool(examples.Maker(material), (1, 0, 0), 1500, "exits")
        self.delta = []
        for logits in self.tail(means.float(), parts.float()):
            posteriors = F.softmax(logits, dim=1)
            entropy = -(posteriors * torch.log(posteriors + 1e-12)).sum(dim=1)
            wrong = torch.sort(torch.where(logits.argmax(1) == WORD, torch.full_like(entropy, 9.0), entropy))[0]
            self.delta.append(round(min(float(wrong[int(LEFT_EARLY * len(wrong))]), DELTA_MAX), 4))
        self.delta[-1] = 0.0

    def save(self, path, card):
        """The model as it is now. What the file that it began with knew of its exits is not true of these."""
        ops, tensors = self.tail.graph(self.model.kept)
        self.model.save(path, ops, tensors, {
            "kws.name": self.name, "kws.labels": json.dumps(self.labels), "kws.card": card,
            "kws.exits": json.dumps({"delta": self.delta})})

    def settings(self):
        """A keyword has to be confirmed by the last exit."""
        return {f"keyword {self.name}.confirm": self.exits}

    def judge(self, model, streams, thresholds):
        """What engine.judge() tells, for each threshold."""
        return [engine.judge(streams, found) for found in engine.scan(model, streams, self.settings(), thresholds)]

    def choose_threshold(self, model, streams, alarms_per_hour):
        """The lowest of THRESHOLDS with at most so many false alarms, and what it does: the synthetic phrases of the
        streams are easier than real ones, so a higher one that finds them all is no better."""
        allowed = alarms_per_hour * sum(one.quiet_hours for one in streams)
        judged = list(zip(THRESHOLDS, self.judge(model, streams, THRESHOLDS)))
        fitting = [i for i in range(len(judged)) if all(alarms <= allowed for _, (_, _, alarms, _) in judged[i:])]
        return judged[fitting[0] if fitting else -1]
