#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev paper's report over small random networks and synthetic clips.

    test_report.py KWS BENCH_NETWORKS

Skips itself where there is no PyTorch, which makes the networks.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import wave
import xml.dom.minidom

try:
    import torch
except ImportError:
    sys.exit(77)

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "train"))
sys.dont_write_bytecode = True
from kwstrain import randomise  # noqa: E402
from kwstrain.data import LABELS  # noqa: E402
from kwstrain.features import FrontEnd  # noqa: E402
from kwstrain.paper import BACKBONES  # noqa: E402
from report import counts  # noqa: E402

KWS, BENCH = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
# Five exits with few channels.
SIZES = {
    "quicknet": {"widths": (8, 12, 16, 20), "blocks": (3, 1, 1, 1), "stem": 4},
    "meliusnet": {"stem": (8, 8, 16), "growth": 8, "blocks": (3, 1, 1, 1), "transitions": (12, 12, 12)},
}
WORDS = ["yes", "no", "stop", "go", "happy", "seven"]
SPOKEN, NOISES = 4 * len(WORDS), 6


def write_model(folder, name, file=None, labels=LABELS, **options):
    net = name.partition("-")[0]
    torch.manual_seed(5)
    made = randomise.randomise(BACKBONES[net](len(LABELS), **SIZES[net], **options))
    made.graph().save(folder / f"{file or name}.safetensors", name, labels, FrontEnd().describe(),
                      f"A small {net}. Random weights.")


def write_clip(path, rng):
    """A tone that comes and goes, with noise."""
    t = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * rng.uniform(150, 3000) * t) * np.exp(-((t - rng.uniform(0.2, 0.8)) / 0.1) ** 2)
    samples = rng.uniform(0.05, 0.5) * tone + rng.uniform(0.001, 0.05) * rng.standard_normal(16000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def write_clips(folder):
    rng = np.random.default_rng(1)
    spoken, noises = ["path\tword\tspeaker\tsplit"], ["path\tkind\tsplit"]
    for i in range(SPOKEN):
        write_clip(folder / f"w{i}.wav", rng)
        spoken.append(f"w{i}.wav\t{WORDS[i % len(WORDS)]}\ts{i}\tval")
    for i in range(NOISES):
        write_clip(folder / f"n{i}.wav", rng)
        noises.append(f"n{i}.wav\train\tval")
    spoken.append("missing.wav\tyes\ts0\ttrain")
    (folder / "commands.tsv").write_text("\n".join(spoken) + "\n")
    (folder / "noise.tsv").write_text("\n".join(noises) + "\n")


class Rig(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="kws-report-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.models, self.data = self.folder / "models", self.folder / "data"
        self.models.mkdir()
        self.data.mkdir()
        write_clips(self.data)
        self.out = self.folder / "out" / "paper.md"

    def report(self):
        return subprocess.run([ROOT / "train" / "report_paper.py", "--models", self.models, "--data", self.data, "--out",
                               self.out, "--kws", KWS, "--bench", BENCH, "--rounds", "1"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Report(Rig):
    def setUp(self):
        super().setUp()
        for name in SIZES:
            write_model(self.models, name)
        write_model(self.models, "quicknet-single-3", exits=[3])
        done = self.report()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.text = self.out.read_text()

    def rows(self, *beginning):
        """The cells of the table's rows that begin so."""
        found = [[cell.strip() for cell in line.strip("|").split("|")] for line in self.text.splitlines() if line.startswith("|")]
        return [cells[len(beginning):] for cells in found if cells[: len(beginning)] == list(beginning)]

    def answers(self, name):
        """What kws classify says of every clip, without an early exit, in the report's order."""
        clips = [self.data / f"w{i}.wav" for i in range(SPOKEN)] + [self.data / f"n{i}.wav" for i in range(NOISES)]
        done = subprocess.run([KWS, "classify", "--json", "--model", self.models / f"{name}.safetensors", *clips],
                              stdout=subprocess.PIPE, check=True, text=True)
        wanted = [word if word in LABELS else "_unknown_" for word in (WORDS * 4)[:SPOKEN]] + ["_silence_"] * NOISES
        return [json.loads(line) for line in done.stdout.splitlines()], wanted

    def test_says_what_kws_says(self):
        self.assertIn("No model was there of: Bi-Real Net 18, BinaryDenseNet-28.", self.text)
        self.assertIn(f"over the {SPOKEN + NOISES} one-second", self.text)
        self.assertIn("- **MeliusNet-22**: A small meliusnet.\n", self.text)
        self.assertEqual(self.text.count("\n\nRandom weights.\n"), 1, "what all cards say is told once")
        self.check_accuracies("QuickNet", "quicknet")
        self.check_accuracies("MeliusNet-22", "meliusnet")
        self.check_deltas("QuickNet", "quicknet")
        self.check_single()
        self.check_costs()
        self.check_figures()

    def check_accuracies(self, title, name):
        answers, wanted = self.answers(name)
        (cells,) = self.rows(title, "five exits")
        for i, cell in enumerate(cells):
            right = sum(one["exits"][i]["label"] == label for one, label in zip(answers, wanted))
            low, high = counts.wilson(right, len(wanted))
            self.assertEqual(cell, f"{100 * right / len(wanted):.2f} ({low:.1f} to {high:.1f})")

    def check_deltas(self, title, name):
        """The policy's exits are those that follow from the entropies."""
        answers, _ = self.answers(name)
        for delta in (0.1, 0.25, 0.5, 0.75, 1.0):
            taken = [next((i for i, one in enumerate(answer["exits"], 1) if one["entropy"] < delta), 5) for answer in answers]
            ((_, mean, _, shares),) = self.rows(title, str(delta))
            self.assertEqual(mean, f"{sum(taken) / len(taken):.2f}")
            self.assertEqual(shares, " ".join(f"{100 * taken.count(number) / len(taken):.1f}" for number in range(1, 6)))

    def check_single(self):
        answers, wanted = self.answers("quicknet-single-3")
        right = sum(answer["label"] == label for answer, label in zip(answers, wanted))
        (cells,) = self.rows("QuickNet", "each exit trained alone")
        self.assertEqual([cell.split()[0] for cell in cells], ["–", "–", f"{100 * right / len(wanted):.2f}", "–", "–"])
        self.assertEqual(self.rows("MeliusNet-22", "each exit trained alone"), [])

    def check_costs(self):
        info = json.loads(subprocess.run([KWS, "info", "--json", self.models / "quicknet.safetensors"],
                                         stdout=subprocess.PIPE, check=True).stdout)
        (macs,) = self.rows("QuickNet", "binary MAC, M")
        self.assertEqual(macs, [f"{one['binary_macs'] / 1e6:.1f}" for one in info["exits"]])
        (latencies,) = self.rows("QuickNet", "latency, µs")
        self.assertEqual(len(latencies), 5)
        self.assertTrue(all(float(us) > 0 for us in latencies))

    def check_figures(self):
        links = re.findall(r"\]\((paper-[a-z-]+\.svg)\)", self.text)
        self.assertEqual(sorted(links), sorted(path.name for path in self.out.parent.glob("*.svg")))
        drawn = {name: xml.dom.minidom.parse(str(self.out.parent / name)) for name in links}
        self.assertEqual(len(drawn["paper-accuracy.svg"].getElementsByTagName("polyline")), 2)
        # the ground and the legend, and for both networks five parts of each bar
        for name, bars in (("paper-exits.svg", 5), ("paper-classes.svg", len(set(WORDS) & set(LABELS)) + 2)):
            self.assertEqual(len(drawn[name].getElementsByTagName("rect")), 1 + 5 + 2 * 5 * bars, name)


class Refusals(Rig):
    def check(self, sentence):
        done = self.report()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(sentence, done.stderr)
        self.assertFalse(self.out.exists())

    def test_no_model(self):
        self.check("none of quicknet.safetensors")
        shutil.rmtree(self.models)
        self.check(f"{self.models}: no such folder")

    def test_a_model_that_is_none(self):
        (self.models / "quicknet.safetensors").write_bytes(b"\x10")
        self.check("quicknet.safetensors")

    def test_other_labels(self):
        write_model(self.models, "quicknet", labels=[f"word{i}" for i in range(9)] + ["_unknown_"])
        self.check("its labels are not those of the clips")

    def test_other_exits(self):
        write_model(self.models, "quicknet", exits=[1, 2])
        self.check("2 exits, not 5")

    def test_a_name_twice(self):
        write_model(self.models, "quicknet")
        write_model(self.models, "quicknet", file="again")
        self.check("are both named quicknet")

    def test_a_name_unknown(self):
        write_model(self.models, "quicknet-single-6", exits=[3])
        self.check("'quicknet-single-6' is neither quicknet")

    def test_no_clips(self):
        write_model(self.models, "quicknet")
        (self.data / "noise.tsv").unlink()
        self.check("noise.tsv: No such file or directory; --data names")

    def test_a_clip_that_is_missing(self):
        write_model(self.models, "quicknet")
        (self.data / "w3.wav").unlink()
        done = self.report()
        self.assertEqual(done.returncode, 1)
        self.assertIn("w3.wav", done.stderr)
        self.assertFalse(self.out.exists())


class Counts(unittest.TestCase):
    def test_wilson(self):
        # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I: method 3
        for right, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
            found = counts.wilson(right, count)
            self.assertAlmostEqual(found[0], 100 * low, places=2)
            self.assertAlmostEqual(found[1], 100 * high, places=2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
