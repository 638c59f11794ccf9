#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A running daemon is changed: by its file, by a signal, by kwsctl; and what is wrong is refused.

The audio is what a test writes to the daemon's standard input, so each word is heard with exactly
the settings that were confirmed before it.
"""

import os
import pathlib
import re
import signal
import subprocess
import unittest

import harness

WORD = "right"


class ReloadTest(harness.DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.word = harness.speech(WORD)

    def setUp(self):
        super().setUp()
        self.fed = 0
        self.write_threshold(harness.THRESHOLD)
        self.daemon = self.start_bare("--config", str(self.config), stdin=subprocess.PIPE)
        self.subscriber = self.subscribe_surely("")
        self.hops = []
        self.hear(harness.silence(1.2))

    def write_threshold(self, threshold, *lines, model=harness.MODEL):
        self.write_config("[model]", f"path = {model}", "[audio]", "source = stdin",
                          "rate_hz = 16000", "channels = 1", "[ipc]", "scores = yes",
                          "level_ms = 100", "[detector]", f"threshold = {threshold}", *lines)

    def hear(self, samples):
        """Feeds the samples, waits until all have been decided on; the names detected in them."""
        self.daemon.feed(samples)
        self.fed += len(samples)
        last = (self.fed - self.fed % harness.BLOCK_SAMPLES - harness.WINDOW_SAMPLES)
        last //= harness.HOP_SAMPLES
        messages = self.subscriber.until(
            lambda topic, event: topic == "kws.score" and event["hop"] == last, f"hop {last}")
        self.hops += [event["hop"] for event in harness.scores(messages)]
        # A detection of the last hop would come after it, but the word ends long before.
        return [event["name"] for event in harness.detections(messages)]

    def heard(self):
        return WORD in self.hear(self.word)

    def wait_for_threshold(self, threshold):
        key = "detector.threshold"
        harness.wait_for(lambda: float(self.daemon.get(key) or "nan") == float(threshold),
                         f"{key} {threshold}")

    def wait_for_refusal(self):
        """The sentence in the status; it must be in the log too."""
        sentence = harness.wait_for(lambda: self.daemon.status()["config"]["last_error"],
                                    "a last_error in the status")
        self.assertGreater(self.daemon.status()["config"]["refused"], 0)
        self.assertIn(sentence, self.daemon.log())
        return sentence

    def assert_nothing_lost(self):
        self.assertEqual(self.hops, list(range(self.hops[0], self.hops[-1] + 1)))

    def test_threshold_in_the_file(self):
        self.assertTrue(self.heard())
        self.write_threshold(1)
        self.wait_for_threshold(1)
        self.assertFalse(self.heard())
        self.write_threshold(harness.THRESHOLD)
        self.wait_for_threshold(harness.THRESHOLD)
        self.assertTrue(self.heard())
        self.assert_nothing_lost()
        self.assertIn("kwsd: detector.threshold = 1\n", self.daemon.log())

    def test_file_written_in_place(self):
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(text.replace(f"threshold = {harness.THRESHOLD}", "threshold = 1"),
                               encoding="utf-8")
        self.wait_for_threshold(1)
        self.assertFalse(self.heard())

    def test_syntax_error_in_the_file(self):
        self.write_config("[detector]", "threshold = much", "[nonsense]", "key = 1")
        self.assertIn(f"{self.config}:2: [detector].threshold", self.wait_for_refusal())
        self.assertIn(f"{self.config}:3: ", self.daemon.log())
        self.assertEqual(float(self.daemon.get("detector.threshold")), float(harness.THRESHOLD))
        self.assertTrue(self.heard())
        self.write_threshold(1)
        self.wait_for_threshold(1)
        self.assertEqual(self.daemon.status()["config"]["last_error"], "")
        self.assert_nothing_lost()

    def test_every_error_is_logged_each_time(self):
        """More than the log takes of a fault that repeats: they are what a person mends the file by."""
        for name in ("bad", "worse"):
            self.write_config("[audio]", *(f"{name}{line} = 1" for line in range(2, 34)))
            for line in range(2, 34):
                sentence = f"{self.config}:{line}: [audio].{name}{line}: there is no such key"
                harness.wait_for(lambda: sentence in self.daemon.log(), sentence)

    def test_model_replaced_under_its_name(self):
        model = self.folder / "model.safetensors"
        data = pathlib.Path(harness.MODEL).read_bytes()
        model.write_bytes(data)
        self.write_threshold(harness.THRESHOLD, model=model)
        harness.wait_for(lambda: self.daemon.get("model.path") == str(model), "the copy in use")
        renamed, count = re.subn(rb'("kws\.name": ?)"commands"', rb'\1"renamed!"', data)
        self.assertEqual(count, 1)
        model.write_bytes(renamed)
        self.assertEqual(self.daemon.kwsctl("reload").returncode, 0)
        self.assertEqual(self.daemon.status()["network"]["model"], "renamed!")
        model.unlink()
        self.assertEqual(self.daemon.kwsctl("reload").returncode, 0)
        self.assertEqual(self.daemon.status()["network"]["model"], "renamed!")

    def test_signal_reads_the_file_again(self):
        before = self.daemon.status()["config"]["reloads"]
        self.daemon.process.send_signal(signal.SIGHUP)
        harness.wait_for(lambda: self.daemon.status()["config"]["reloads"] == before + 1,
                         "one reload more")
        self.assertTrue(self.heard())
        self.assert_nothing_lost()

    def test_set_lasts_until_the_file_is_read(self):
        done = self.daemon.kwsctl("set", "detector.threshold", "1", "exits.delta", "0.1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(float(self.daemon.get("exits.delta")), 0.1)
        self.assertFalse(self.heard())
        # A second `set` keeps the first one's values.
        self.assertEqual(self.daemon.kwsctl("set", "ipc.site", "hall").returncode, 0)
        self.assertEqual(float(self.daemon.get("detector.threshold")), 1)
        # Only what changes the content counts as an edit.
        self.write_threshold(harness.THRESHOLD, "# edited")
        self.wait_for_threshold(harness.THRESHOLD)
        self.assertEqual(self.daemon.get("ipc.site"), "")
        self.assertTrue(self.heard())
        self.assert_nothing_lost()

    def test_set_of_a_wrong_value(self):
        for key, value, sentence in (("detector.threshold", "2", "detector"),
                                     ("detector.nonsense", "1", "nonsense"),
                                     # else it would be a second value of that key, and win over the first
                                     ("detector.threshold ", "0.3", "there is no key 'detector.threshold '"),
                                     (" ipc.control", "ipc:///tmp/zzz", "there is no key ' ipc.control'"),
                                     ("keyword  yes.threshold", "0.3", "there is no key 'keyword  yes.")):
            done = self.daemon.kwsctl("set", "exits.delta", "0.1", key, value)
            self.assertEqual(done.returncode, 1)
            self.assertIn(sentence, done.stderr)
            self.assertEqual(self.daemon.get("exits.delta"), "model")
        self.assertTrue(self.heard())

    def test_policies_change_while_it_listens(self):
        done = self.daemon.kwsctl("set", "exits.policy", "patience", "exits.patience", "4")
        self.assertEqual(done.returncode, 1)
        self.assertIn("4 agreements can never come before the last of 5 exits", done.stderr)
        self.assertEqual(self.daemon.get("exits.policy"), "entropy")
        for settings in (("exits.policy", "patience", "exits.patience", "3"),
                         ("exits.policy", "temporal-patience", "exits.confirm", "4")):
            self.assertEqual(self.daemon.kwsctl("set", *settings).returncode, 0)
            self.assertTrue(self.heard())
        self.assert_nothing_lost()

    def test_audio_that_cannot_be_had(self):
        """What is wrong for certain is refused; a file that is no audio leaves the daemon mendable."""
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for settings, sentence in ((("audio.channel", "5"), "there is no 5"),
                                   (("audio.source", "file", "audio.path", str(pipe)), "not a regular file"),
                                   (("audio.source", "file", "audio.path", "/missing"), "/missing"),
                                   (("audio.rate_hz", "0"), "rate_hz")):
            done = self.daemon.kwsctl("set", *settings)
            self.assertEqual(done.returncode, 1)
            self.assertIn(sentence, done.stderr)
        self.assertTrue(self.heard())
        self.assert_nothing_lost()
        done = self.daemon.kwsctl("set", "audio.source", "file", "audio.path", harness.MODEL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.subscriber.until_state("failed")
        self.assertEqual(self.daemon.status()["audio"]["state"], "failed")
        self.assertEqual(
            self.daemon.kwsctl("set", "audio.source", "null", "audio.channels", "0").returncode, 0)
        self.subscriber.until_state("listening")
        done = self.daemon.kwsctl("set", "audio.channel", "2")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no 2, the device has 1", done.stderr)

    def test_model_that_cannot_be_loaded(self):
        model = self.daemon.status()["network"]["model"]
        junk = self.folder / "junk.safetensors"
        junk.write_bytes(b"no model")
        for path in (junk, self.folder / "missing"):
            self.write_threshold(1, model=path)
            harness.wait_for(lambda: str(path) in self.daemon.status()["config"]["last_error"],
                             f"a last_error that names {path}")
            self.wait_for_refusal()
        self.assertEqual(self.daemon.status()["network"]["model"], model)
        self.assertEqual(self.daemon.get("model.path"), harness.MODEL)
        self.assertTrue(self.heard())
        self.assert_nothing_lost()

    @unittest.skipUnless(os.geteuid() == 0, "only root is asked to distrust")
    def test_files_that_others_may_write(self):
        self.config.chmod(0o666)
        done = self.daemon.kwsctl("reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.config}: may be written by others", done.stderr)
        self.config.chmod(0o644)
        model = self.folder / "model.safetensors"
        model.write_bytes(pathlib.Path(harness.MODEL).read_bytes())
        model.chmod(0o664)
        done = self.daemon.kwsctl("set", "model.path", str(model))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{model}: may be written by others", done.stderr)
        self.assertTrue(self.heard())

    def test_keyword_that_the_model_lacks(self):
        self.write_threshold(1, "[keyword abracadabra]", "enabled = yes")
        self.assertIn("abracadabra", self.wait_for_refusal())
        self.assertTrue(self.heard())

    def test_keyword_of_its_own(self):
        """A section of a keyword wins over [detector], while running too."""
        self.write_threshold(harness.THRESHOLD, f"[keyword {WORD}]", "enabled = no")
        harness.wait_for(lambda: self.daemon.get(f"keyword {WORD}.enabled") == "no", "disabled")
        self.assertFalse(self.heard())
        self.write_threshold(1, f"[keyword {WORD}]", f"threshold = {harness.THRESHOLD}")
        self.wait_for_threshold(1)
        self.assertTrue(self.heard())
        self.assert_nothing_lost()


if __name__ == "__main__":
    harness.main()
