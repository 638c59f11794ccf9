#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`kws scan x.wav` and a live kwsd that hears x.wav give the same events at the same places."""

import json
import os
import subprocess

import harness
import numpy
from harness import constant_part


class ScanTest(harness.DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.samples = numpy.concatenate([harness.silence(1.5), harness.speech(*harness.WORDS)])

    def setUp(self):
        super().setUp()
        self.wav = self.folder / "words.wav"

    def scan(self, *settings, arguments=()):
        """Detections and decisions of each hop."""
        done = subprocess.run(
            [harness.KWS, "scan", "--json", "--scores", "--model", harness.MODEL,
             *harness.options(f"detector.threshold={harness.THRESHOLD}", *settings), *arguments, self.wav],
            stdout=subprocess.PIPE, check=True, text=True)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return ([event for event in events if "name" in event],
                [event for event in events if "label" in event])

    def assert_same(self, messages, scanned):
        found, decisions = scanned
        self.assertEqual(harness.names(found), list(harness.WORDS))
        self.assertEqual(constant_part(harness.detections(messages)), constant_part(found))
        # A subscriber that comes late misses the first hops.
        live = harness.scores(messages)
        self.assertGreater(len(live), 50)
        self.assertEqual(constant_part(live), constant_part(decisions[-len(live):]))

    def live_file(self, *settings):
        subscriber = self.subscribe("")
        daemon = self.start("audio.source=file", f"audio.path={self.wav}", "ipc.scores=yes",
                            *settings)
        messages = subscriber.until_state("ended")
        self.assertEqual(daemon.wait(), 0)
        return messages

    def live_stdin(self, rate_hz, channels, samples, *settings):
        daemon = self.start("audio.source=stdin", f"audio.rate_hz={rate_hz}",
                            f"audio.channels={channels}", "ipc.scores=yes", "ipc.level_ms=100",
                            *settings, stdin=subprocess.PIPE)
        subscriber = self.subscribe_surely("")
        # In pieces that are no whole number of frames, blocks or hops.
        data = samples.tobytes()
        for begin in range(0, len(data), 999):
            daemon.process.stdin.write(data[begin:begin + 999])
        daemon.process.stdin.close()
        messages = subscriber.until_state("ended")
        self.assertEqual(daemon.wait(), 0)
        return messages

    def write_stereo(self):
        """48 kHz, two channels that differ."""
        left = harness.resample(self.samples, harness.RATE_HZ, 48000)
        right = numpy.roll(left, 7) // 3
        stereo = numpy.stack([left, right], axis=1)
        harness.write_wav(self.wav, stereo, 48000)
        return stereo

    def test_file_at_its_own_pace(self):
        harness.write_wav(self.wav, self.samples)
        self.assert_same(self.live_file(), self.scan())

    def test_stdin(self):
        harness.write_wav(self.wav, self.samples)
        messages = self.live_stdin(harness.RATE_HZ, 1, self.samples)
        self.assert_same(messages, self.scan())

    def test_48_khz_stereo_file(self):
        self.write_stereo()
        self.assert_same(self.live_file(), self.scan())

    def test_48_khz_stereo_stdin_one_channel(self):
        stereo = self.write_stereo()
        messages = self.live_stdin(48000, 2, stereo, "audio.channel=2")
        self.assert_same(messages, self.scan("audio.channel=2"))

    def test_settings_reach_both(self):
        harness.write_wav(self.wav, self.samples)
        settings = ("dsp.denoise=yes", "model.hop_frames=3", "exits.policy=temporal-patience",
                    "exits.distance=6", "exits.scene_delta=0.1", "exits.confirm=3")
        messages = self.live_stdin(harness.RATE_HZ, 1, self.samples, *settings)
        self.assert_same(messages, self.scan(*settings))

    def test_many_thresholds_at_once(self):
        """Each finds what it finds alone."""
        harness.write_wav(self.wav, self.samples)
        thresholds = ("0.2", "0.5", "0.95")
        together, _ = self.scan(arguments=("--thresholds", ",".join(thresholds)))
        for threshold in thresholds:
            alone, _ = self.scan(f"detector.threshold={threshold}")
            self.assertGreater(len(alone), 0)
            self.assertEqual(constant_part(alone), constant_part(
                event for event in together if event["threshold"] == float(threshold)))

    def test_a_pipe_is_read_as_a_file_is(self):
        harness.write_wav(self.wav, self.samples)
        expected, _ = self.scan()
        done = subprocess.run([harness.KWS, "scan", "--json", "--model", harness.MODEL,
                               *harness.options(f"detector.threshold={harness.THRESHOLD}"), "/dev/stdin"],
                              input=self.wav.read_bytes(), stdout=subprocess.PIPE, check=True)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([event["sample"] for event in found], [event["sample"] for event in expected])

    def test_a_near_miss_is_told_as_one(self):
        harness.write_wav(self.wav, self.samples)
        settings = ("detector.threshold=1", "detector.candidate_threshold=0.3")
        live = [event for topic, event in self.live_file(*settings) if topic.startswith("kws.candidate.")]
        found, hops = self.scan(*settings)
        self.assertEqual({event["topic"] for event in hops}, {"kws.score"})
        self.assertEqual([event["topic"] for event in found], [f"kws.candidate.{event['name']}" for event in found])
        self.assertEqual(harness.names(found), list(harness.WORDS))
        self.assertEqual(constant_part(found), constant_part(live))
        heard, _ = self.scan("detector.candidate_threshold=0.3")
        self.assertEqual([event["name"] for event in heard if event["topic"].startswith("kws.detection.")
                          and event["name"] in harness.WORDS], list(harness.WORDS))

    def test_goes_on_after_a_file_that_cannot_be_read(self):
        harness.write_wav(self.wav, self.samples)
        bad = self.folder / "bad.wav"
        bad.write_text("no audio", encoding="utf-8")
        done = subprocess.run([harness.KWS, "scan", "--model", harness.MODEL, bad, self.wav],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("bad.wav", done.stderr)
        for word in harness.WORDS:
            self.assertIn(word, done.stdout)

    def test_no_json_of_a_path_that_is_not_utf8(self):
        path = self.folder / os.fsdecode(b"\xff.wav")
        harness.write_wav(path, self.samples)
        command = [harness.KWS, "scan", "--model", harness.MODEL, path]
        self.assertIn(b"yes", subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"the path is not UTF-8", done.stderr)

    def test_no_list_of_thresholds(self):
        for text in ("", "0.5,", "0.5;0.6", "2", "nan", ",".join(65 * ["0.5"])):
            done = subprocess.run([harness.KWS, "scan", "--model", harness.MODEL, "--thresholds",
                                   text, self.wav], stderr=subprocess.PIPE, check=False, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("kws: --thresholds:", done.stderr)


if __name__ == "__main__":
    harness.main()
