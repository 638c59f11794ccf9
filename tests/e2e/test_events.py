#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A sound file in, events out: their fields, their numbering, and kwsctl as a subscriber."""

import json
import subprocess

import harness
import numpy

NUMBER = (int, float)
DETECTION = {
    "v": int, "seq": int, "boot": str, "name": str, "phrase": str, "score": NUMBER,
    "threshold": NUMBER, "exit": int, "exits": int, "entropy": NUMBER, "policy": str,
    "reason": str, "hop": int, "sample": int, "audio_ms": NUMBER, "time": str,
    "monotonic_ns": int, "latency_ms": NUMBER, "rms_dbfs": NUMBER, "snr_db": NUMBER,
    "model": str, "site": str,
}
SCORE = {
    "v": int, "seq": int, "boot": str, "hop": int, "sample": int, "exit": int, "exits": int,
    "entropy": NUMBER, "policy": str, "reason": str, "change": type(None), "disagreement": int,
    "label": str, "score": NUMBER, "posteriors": dict, "model": str,
}
STATE = {
    "v": int, "seq": int, "boot": str, "state": str, "reason": str, "time": str,
    "monotonic_ns": int, "details": type(None),
}
LEVEL = {"v": int, "seq": int, "boot": str, "rms_dbfs": NUMBER, "peak_dbfs": NUMBER}


class EventsTest(harness.DaemonTest):
    @classmethod
    def setUpClass(cls):
        # While the silence at the start lasts, the subscribers connect.
        cls.samples = numpy.concatenate([harness.silence(2), harness.speech(*harness.WORDS)])

    def setUp(self):
        super().setUp()
        wav = self.folder / "words.wav"
        harness.write_wav(wav, self.samples)
        self.write_config("[keyword yes]", "phrase = yes, please")
        self.subscriber = self.subscribe("")
        self.daemon = self.start("audio.source=file", f"audio.path={wav}", "ipc.scores=yes",
                                 "ipc.level_ms=200", "ipc.site=kitchen",
                                 arguments=["--config", str(self.config)])
        self.boot = self.wait_until_ready(self.daemon)["boot"]

    def assert_fields(self, event, fields):
        self.assertEqual(list(event), list(fields))
        for key, kind in fields.items():
            self.assertIsInstance(event[key], kind, key)
        self.assertEqual(event["v"], 1)
        self.assertEqual(event["boot"], self.boot)

    def assert_decision(self, event):
        self.assertTrue(1 <= event["exit"] <= event["exits"], event)
        self.assertTrue(0 <= event["score"] <= 1, event)
        self.assertGreaterEqual(event["entropy"], 0)

    def check_detections(self, found):
        self.assertEqual(harness.names(found), list(harness.WORDS))
        phrases = {event["name"]: event["phrase"] for event in found}
        self.assertEqual(phrases["yes"], "yes, please")
        for event in found:
            self.assert_fields(event, DETECTION)
            self.assert_decision(event)
            self.assertGreaterEqual(event["score"], event["threshold"])
            self.assertEqual(event["threshold"], float(harness.THRESHOLD))
            self.assertEqual(event["audio_ms"], event["sample"] / 16)
            self.assertTrue(0 <= event["latency_ms"] < 1000, event)
            self.assertLess(event["rms_dbfs"], 0)
            self.assertEqual(event["site"], "kitchen")

    def check_scores(self, found):
        for event in found:
            self.assert_fields(event, SCORE)
            self.assert_decision(event)
            self.assertAlmostEqual(sum(event["posteriors"].values()), 1, delta=0.001)
            self.assertEqual(event["posteriors"][event["label"]], event["score"])
            self.assertEqual(event["sample"],
                             harness.WINDOW_SAMPLES + event["hop"] * harness.HOP_SAMPLES)
        hops = [event["hop"] for event in found]
        end = len(self.samples) - len(self.samples) % harness.BLOCK_SAMPLES
        last = (end - harness.WINDOW_SAMPLES) // harness.HOP_SAMPLES
        self.assertEqual(hops, list(range(hops[0], last + 1)))

    def check_numbering(self, messages):
        last = {}
        for topic, event in messages:
            self.assertEqual(event["seq"], last.get(topic, event["seq"] - 1) + 1, topic)
            last[topic] = event["seq"]

    def test_every_event(self):
        messages = self.subscriber.until_state("ended")
        self.assertEqual(self.daemon.wait(), 0)
        self.assertIsNone(self.subscriber.receive(0.3), "the end is the last event")
        self.check_detections(harness.detections(messages))
        self.check_scores(harness.scores(messages))
        self.check_numbering(messages)
        for topic, event in messages:
            if topic == "kws.state":
                self.assert_fields(event, STATE)
            elif topic == "kws.level":
                self.assert_fields(event, LEVEL)
            elif topic != "kws.score":
                self.assertEqual(topic, f"kws.detection.{event['name']}")

    def test_monitor_prints_the_same_events(self):
        words = harness.WORDS[:2]
        lines = subprocess.run(
            [harness.KWSCTL, "monitor", "--json", "--count", str(len(words)), *words],
            env=self.daemon.env, stdout=subprocess.PIPE, check=True, text=True,
            timeout=harness.TIMEOUT_S).stdout.splitlines()
        printed = [event for event in map(json.loads, lines) if event["topic"] != "kws.state"]
        sent = self.subscriber.until(lambda topic, _: topic == f"kws.detection.{words[-1]}",
                                     "detection")
        for event in printed:
            self.assertEqual(event.pop("topic"), f"kws.detection.{event['name']}")
        self.assertEqual(printed, [event for event in harness.detections(sent)
                                   if event["name"] in words])
        self.assertEqual(self.daemon.stop(), 0)


if __name__ == "__main__":
    harness.main()
