#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What all commands of `kws` have in common: their exit status."""

import pathlib
import subprocess

import harness
import numpy


class KwsTest(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.wav = self.folder / "noise.wav"
        noise = numpy.random.default_rng(1).integers(-3000, 3000, 3 * harness.RATE_HZ)
        harness.write_wav(self.wav, noise.astype(numpy.int16))
        self.list = self.folder / "list.tsv"
        self.list.write_text(f"path\tword\nnoise.wav\t{harness.WORDS[0]}\n", encoding="utf-8")

    def run_kws(self, *arguments, stdout=subprocess.PIPE):
        return subprocess.run([harness.KWS, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, text=True, check=False)

    def test_a_full_disk_is_no_success(self):
        model = ("--model", harness.MODEL)
        for command in (
                ("--help",), ("--version",), ("scan", "--help"),
                ("info", harness.MODEL), ("info", "--json", harness.MODEL),
                ("scan", "--scores", *model, self.wav), ("scan", "--scores", "--json", *model, self.wav),
                ("classify", *model, self.wav), ("classify", "--json", *model, self.wav),
                ("tune", "--policy", "always-1", *model, "--clips", self.list),
                ("tune", "--policy", "always-1", "--json", *model, "--clips", self.list)):
            with self.subTest(command), pathlib.Path("/dev/full").open("w", encoding="utf-8") as full:
                self.assertEqual(self.run_kws(*command).returncode, 0)
                done = self.run_kws(*command, stdout=full)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr.splitlines()[-1], "kws: cannot write the output")

    def test_a_closed_output_is_no_success(self):
        """It must not be taken for a file that is opened later, nor for a success."""
        for command in (("--version",), ("info", harness.MODEL),
                        ("scan", "--scores", "--model", harness.MODEL, self.wav)):
            with self.subTest(command):
                done = subprocess.run([*harness.closing(">"), harness.KWS, *map(str, command)], check=False,
                                      stderr=subprocess.PIPE, text=True)
                self.assertEqual((done.returncode, done.stderr.splitlines()[-1]),
                                 (1, "kws: cannot write the output"))

    def test_tells_a_wrong_configuration_from_a_file_that_cannot_be_used(self):
        bad, missing = self.folder / "bad", self.folder / "missing"
        bad.write_text("[detector]\nthreshold = 7\n", encoding="utf-8")
        model = ("--model", harness.MODEL)
        for command in (("scan", self.wav), ("classify", self.wav), ("tune", "--clips", self.list)):
            for status, options in (
                    (2, (*model, "--set", "foo")), (2, (*model, "--set", "detector.threshold=7")),
                    (2, (*model, "--set", "exits.policy=hope")), (2, (*model, "--set", "exits.delta=1,2")),
                    (2, (*model, "--set", "exits.policy=patience", "--set", "exits.patience=4")),
                    (2, (*model, "--config", bad)), (2, (*model, "--config", missing)),
                    (1, ("--model", bad)), (1, ("--model", missing))):
                with self.subTest((*command, *options)):
                    done = self.run_kws(command[0], *options, *command[1:])
                    self.assertEqual(done.returncode, status, done.stderr)
                    self.assertEqual((done.stdout, len(done.stderr.splitlines())), ("", 1), done.stderr)
        done = self.run_kws("scan", *model, *model, self.wav)
        self.assertEqual((done.returncode, "both named" in done.stderr), (2, True), done.stderr)
        for command in (("classify", self.wav), ("tune", "--clips", self.list)):
            done = self.run_kws(*command, *model, "--model", missing)
            self.assertEqual((done.returncode, "a single --model" in done.stderr), (2, True), done.stderr)
        for command in (("scan", *model), ("classify", *model), ("tune", *model, "--clips")):
            with self.subTest(command):
                self.assertEqual(self.run_kws(*command, missing).returncode, 1)


if __name__ == "__main__":
    harness.main()
