#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The CPU mask chooses the kernels of kws and kwsd, and changes nothing that they say."""

import json
import os
import subprocess

import harness
import numpy

MASKS = ("c", "avx2", "avx512", "neon", "all")


def kws(*arguments, mask=None):
    """The completed process, with the mask in its environment if there is one."""
    env = os.environ if mask is None else {**os.environ, "KWS_CPU_MASK": mask}
    return subprocess.run([harness.KWS, *arguments], env=env, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kernels(info):
    """What `kws info` prints after "kernels"."""
    return [line.split(None, 1)[1] for line in info.stdout.splitlines()
            if line.strip().startswith("kernels ")]


class KernelsTest(harness.DaemonTest):
    def test_every_mask_gives_the_same_scores(self):
        wav = self.folder / "words.wav"
        harness.write_wav(wav, numpy.concatenate([harness.silence(1.5),
                                                  harness.speech(*harness.WORDS)]))
        answers = [kws("--cpu-mask", mask, "scan", "--json", "--scores", "--model", harness.MODEL,
                       *harness.options("exits.delta=0"), wav) for mask in MASKS]
        self.assertGreater(answers[0].stdout.count('"label"'), 50)
        for mask, answer in zip(MASKS, answers):
            self.assertEqual(answer.returncode, 0, answer.stderr)
            self.assertEqual(self.constant_part(answer), self.constant_part(answers[0]), mask)

    @staticmethod
    def constant_part(answer):
        """Without the clock's fields and the process's."""
        return [{key: value for key, value in event.items()
                 if key not in ("seq", "boot", "time", "monotonic_ns", "latency_ms")}
                for event in map(json.loads, answer.stdout.splitlines())]

    def test_the_option_wins_over_the_environment(self):
        plain = kernels(kws("--cpu-mask=c", "info", harness.MODEL))
        self.assertEqual(len(plain), 1)
        self.assertIn("bconv c", plain[0])
        self.assertEqual(kernels(kws("info", harness.MODEL, mask="c")), plain)
        self.assertEqual(kernels(kws("--cpu-mask=c", "info", harness.MODEL, mask="all")), plain)

    def test_the_daemon_logs_its_kernels(self):
        plain = kernels(kws("--cpu-mask=c", "info", harness.MODEL))
        daemon = self.start("audio.source=null", arguments=("--cpu-mask", "c"))
        self.wait_until_ready(daemon)
        self.assertIn(f"kernels: {plain[0]}", daemon.log())

    def test_a_bad_mask_gets_one_sentence(self):
        for done in (kws("--cpu-mask", "sse9", "info", harness.MODEL),
                     kws("info", harness.MODEL, mask="sse9")):
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr, "kws: the CPU mask 'sse9' is none of c, avx2, avx512, "
                                          "neon and all\n")
        daemon = self.start(arguments=("--cpu-mask=sse9",))
        self.assertEqual(daemon.wait(), 2)
        self.assertIn("the CPU mask 'sse9' is none of", daemon.log())


if __name__ == "__main__":
    harness.main()
