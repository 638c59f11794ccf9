#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`kws classify` answers as the policy says, and refuses one that cannot work."""

import json
import math
import os
import pathlib
import shutil
import subprocess
import wave

import harness
import numpy


class ClassifyTest(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.wav = self.folder / "word.wav"
        # The pause is cut: the middle second is the word's.
        word = harness.speech(harness.WORDS[0])
        harness.write_wav(self.wav, word[:-harness.RATE_HZ])

    def run_classify(self, *arguments):
        return self.run_program(harness.KWS, "classify", "--json", "--model", harness.MODEL,
                                *arguments, self.wav)

    def run_program(self, *command):
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def classify(self, *arguments):
        done = self.run_classify(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_answers_as_the_policy_says(self):
        last = self.classify()
        self.assertEqual((last["label"], last["exit"], last["reason"]),
                         (harness.WORDS[0], len(last["exits"]), "last-exit"))
        for arguments, depth, reason in (
                (("--delta", "10"), 1, "entropy"),
                (("--delta", "0"), 5, "last-exit"),
                (("--policy", "always-2"), 2, "fixed"),
                (("--policy", "difference"), 5, "no-reference"),
                (("--policy", "always-1", "--set", "exits.confirm=3"), 3, "confirmed"),
                (("--set", "exits.policy=score", "--set", "exits.score=0"), 1, "score")):
            answer = self.classify(*arguments)
            self.assertEqual((answer["exit"], answer["reason"]), (depth, reason), arguments)
            self.assertEqual(answer["score"], answer["exits"][depth - 1]["score"])
            self.assertEqual(answer["exits"], last["exits"])

    def test_refuses_a_delta_for_another_policy(self):
        for arguments in (("--policy", "always-2", "--delta", "10"), ("--delta", "10", "--policy", "always-2"),
                          ("--delta", "10", "--set", "exits.policy=always-2")):
            done = self.run_classify(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn("--delta is of the policy entropy, not of always-2", done.stderr)
        self.assertEqual(self.classify("--policy", "entropy", "--delta", "10"), self.classify("--delta", "10"))

    def test_logits_give_the_posteriors(self):
        self.assertNotIn("logits", self.classify()["exits"][0])
        for one in self.classify("--logits", "--set", "exits.temperature=2")["exits"]:
            weights = [math.exp(logit / 2) for logit in one["logits"]]
            self.assertAlmostEqual(max(weights) / sum(weights), one["score"], places=4)

    def test_takes_the_daemons_configuration(self):
        self.write_config("[exits]", "policy = always-4", "temperature = 2")
        answer = self.classify("--config", self.config)
        self.assertEqual((answer["exit"], answer["reason"]), (4, "fixed"))
        self.assertGreater(answer["entropy"], self.classify("--policy", "always-4")["entropy"])

    def test_the_model_says_what_it_knows_of_its_exits(self):
        model = self.folder / "model.safetensors"
        shutil.copy(harness.MODEL, model)
        chosen = ("--set", f"model.path={model}")
        self.set_exits(model, "-")
        plain = self.classify(*chosen, "--policy", "entropy")
        self.set_exits(model, '{"temperature": [2, 2, 2, 2, 2], "delta": [0, 0, 10, 0, 0]}')
        answer = self.classify(*chosen, "--policy", "entropy")
        self.assertEqual((answer["exit"], answer["reason"]), (3, "entropy"))
        self.assertGreater(answer["exits"][0]["entropy"], plain["exits"][0]["entropy"])
        # [exits] is stronger.
        self.assertEqual(self.classify(*chosen, "--delta", "10")["exit"], 1)
        self.assertIn("temperature 2 2 2 2 2; thresholds of delta\n",
                      self.run_program(harness.KWS, "info", model).stdout)
        self.set_exits(model, "-")
        self.assertEqual(self.classify(*chosen, "--policy", "entropy"), plain)

    def test_info_as_json_says_what_its_text_says(self):
        info = json.loads(self.run_program(harness.KWS, "info", "--json", harness.MODEL).stdout)
        text = self.run_program(harness.KWS, "info", harness.MODEL).stdout
        last = info["exits"][-1]
        self.assertIn(f"  labels     {' '.join(info['labels'])}\n", text)
        self.assertIn(f"  parameters {info['parameters']}: {last['binary_weights']} binary, "
                      f"{last['float_weights']} float\n", text)
        self.assertIn(f"  size       {info['bytes'] / 2**20:.2f} MiB", text)
        self.assertIn(f"all as float {info['bytes_as_float'] / 2**20:.2f} MiB", text)
        rows = [line.split() for line in text.splitlines() if line.strip()[:1].isdigit()]
        self.assertEqual(rows, [[str(number), *map(str, (
            one["binary_macs"], one["binary_macs_without_padding"], one["float_macs"],
            one["binary_weights"], one["float_weights"]))] for number, one in enumerate(info["exits"], 1)])
        self.assertIn(info["card"], text)

    def set_exits(self, model, text, wrong=None):
        done = self.run_program(pathlib.Path(harness.ROOT, "train/set_exits.py"),
                                "--kws", harness.KWS, model, text)
        self.assertEqual(done.returncode, 0 if wrong is None else 1, done.stderr)
        if wrong is not None:
            self.assertIn(wrong, done.stderr)

    def test_a_model_keeps_its_exits_when_the_new_ones_are_wrong(self):
        model = self.folder / "model.safetensors"
        shutil.copy(harness.MODEL, model)
        before = model.read_bytes()
        self.set_exits(model, '{"delta": [1]}', "kws.exits: 'delta' must be a list")
        self.set_exits(model, '{"delta": [1', "set_exits.py")
        self.assertEqual(model.read_bytes(), before)
        self.assertEqual([path for path in self.folder.iterdir() if "model" in path.name], [model])

    def test_hears_the_channel_that_is_set(self):
        with wave.open(str(self.wav)) as file:
            word = numpy.frombuffer(file.readframes(file.getnframes()), numpy.int16)
        alone = self.classify()
        harness.write_wav(self.wav, numpy.stack([0 * word, word], axis=1))
        second = self.classify("--set", "audio.channel=2", "--set", "exits.policy=always-5")
        self.assertEqual(second["exits"], alone["exits"])
        self.assertNotEqual(self.classify()["exits"], alone["exits"])
        done = self.run_classify("--set", "audio.channel=3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no channel 3: the file has 2", done.stderr)

    def test_resamples_as_well_as_is_set(self):
        with wave.open(str(self.wav)) as file:
            word = numpy.frombuffer(file.readframes(file.getnframes()), numpy.int16)
        harness.write_wav(self.wav, harness.resample(word, harness.RATE_HZ, 48000), 48000)
        best, worst = (self.classify("--set", f"dsp.resampler_quality={quality}") for quality in (10, 0))
        self.assertNotEqual(best["exits"], worst["exits"])

    def write_model(self, **metadata):
        """The model with other metadata."""
        data = pathlib.Path(harness.MODEL).read_bytes()
        begin = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:begin])
        header["__metadata__"] |= {f"kws.{key}": value for key, value in metadata.items()}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        path = self.folder / "model.safetensors"
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[begin:])
        return path

    def test_what_a_model_says_does_not_command_a_terminal(self):
        labels = json.loads(self.run_program(harness.KWS, "info", "--json", harness.MODEL).stdout)["labels"]
        bad = {"name": "\x1b[2Jn", "card": "a\nb\x1b]0;c\a",
               "labels": json.dumps([f"{label}\x1b\x9b" for label in labels])}
        model = self.write_model(**bad)
        texts = [self.run_program(harness.KWS, *command).stdout for command in (
            ("info", model), ("classify", "--model", model, self.wav),
            ("scan", "--scores", "--model", model, self.wav))]
        texts.append(self.run_program(harness.KWS, "info", self.write_model(format="\x1b[2J")).stderr)
        for text, seen in zip(texts, ("?[2Jn\n", "word.wav: yes??", " yes??", "format '?[2J'")):
            self.assertIn(seen, text)
            self.assertFalse(set("\x1b\x9b\a") & set(text), text)
        self.assertIn("card       a\nb?]0;c?\n", texts[0])

    def test_no_json_of_a_path_that_is_not_utf8(self):
        path = self.wav.rename(self.folder / os.fsdecode(b"\xff.wav"))
        command = [harness.KWS, "classify", "--model", harness.MODEL, path]
        self.assertIn(b"yes", subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"the path is not UTF-8", done.stderr)

    def test_reads_further_paths_from_a_list(self):
        paths = self.folder / "paths"
        paths.write_text(f"\n{self.wav}\n{self.wav}", encoding="utf-8")
        done = self.run_classify("--list", paths)
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 3), done.stderr)
        for text in (f"{self.wav}\r\n\r\n{self.wav}\r\n", f"\ufeff{self.wav}\n{self.wav}"):
            paths.write_bytes(text.encode())
            done = self.run_classify("--list", paths)
            self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 3), done.stderr)
        for path, why in ((self.folder, "Is a directory"), (self.folder / "none", "No such file or directory")):
            done = self.run_classify("--list", path)
            self.assertEqual((done.returncode, done.stderr), (1, f"kws: {path}: {why}\n"))
            self.assertEqual(len(done.stdout.splitlines()), 1)

    def test_refuses_what_cannot_work(self):
        for arguments, sentence in (
                (("--policy", "patience", "--set", "exits.patience=4"),
                 "[exits].patience: 4 agreements can never come before the last of 5 exits"),
                (("--policy", "hope"), "exits.policy: value 'hope': must be entropy, score"),
                (("--delta", "x"), "exits.delta: value 'x': is not a number"),
                (("--set", "exits.delta=1, 2"),
                 "[exits].delta: 2 numbers, but the model has 5 exits")):
            done = self.run_classify(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(sentence, done.stderr)


if __name__ == "__main__":
    harness.main()
