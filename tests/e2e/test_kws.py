#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What all commands of `kws` have in common: what becomes of their output."""

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


if __name__ == "__main__":
    harness.main()
