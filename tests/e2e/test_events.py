#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sound in, events out: their fields, their numbering, near misses, gaps, and kwsctl as a subscriber."""

import json
import signal
import subprocess
import time

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
    "label": str, "score": NUMBER, "posteriors": dict, "model": str, "site": str,
}
STATE = {
    "v": int, "seq": int, "boot": str, "state": str, "reason": str, "time": str,
    "monotonic_ns": int, "site": str,
}
LEVEL = {"v": int, "seq": int, "boot": str, "rms_dbfs": NUMBER, "peak_dbfs": NUMBER, "site": str}


class EventFields(harness.DaemonTest):
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


class EventsTest(EventFields):
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
            self.assertEqual(event["site"], "kitchen")
            if topic == "kws.state":
                self.assert_fields(event, STATE)
            elif topic == "kws.level":
                self.assert_fields(event, LEVEL)
            elif topic != "kws.score":
                self.assertEqual(topic, f"kws.detection.{event['name']}")


class FedTest(EventFields):
    """What is said when all who shall hear it are there."""

    def start_stdin(self, *settings):
        self.daemon = self.start("audio.source=stdin", "audio.rate_hz=16000", "audio.channels=1",
                                 "ipc.level_ms=200", *settings, stdin=subprocess.PIPE)
        self.boot = self.wait_until_ready(self.daemon)["boot"]
        self.subscriber = self.subscribe_surely("kws.state", "kws.detection.", "kws.candidate.")

    def start_monitor(self, *arguments):
        """kwsctl, known to be connected, and the file that it writes."""
        path = self.folder / "printed"
        with path.open("wb") as file:
            monitor = subprocess.Popen([harness.KWSCTL, "monitor", "--json", *arguments],
                                       env=self.daemon.env, stdout=file)
        self.addCleanup(monitor.kill)

        def is_told():
            for command in ("mute", "unmute"):
                self.assertEqual(self.daemon.kwsctl(command).returncode, 0)
            return path.stat().st_size > 0
        harness.wait_for(is_told, "a state from kwsctl monitor")
        return monitor, path

    def test_monitor_prints_the_same_events(self):
        words = harness.WORDS[:2]
        self.start_stdin()
        monitor, path = self.start_monitor("--count", str(len(words)), *words)
        self.daemon.feed(numpy.concatenate([harness.silence(1), harness.speech(*words)]))
        self.assertEqual(monitor.wait(harness.TIMEOUT_S), 0)
        lines = path.read_text(encoding="utf-8").splitlines()
        printed = [event for event in map(json.loads, lines) if event["topic"] != "kws.state"]
        sent = self.subscriber.until(lambda topic, _: topic == f"kws.detection.{words[-1]}",
                                     "detection")
        for event in printed:
            self.assertEqual(event.pop("topic"), f"kws.detection.{event['name']}")
        self.assertEqual(printed, [event for event in harness.detections(sent)
                                   if event["name"] in words])
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_new_site_is_told_at_once(self):
        self.start_stdin("ipc.site=kitchen")
        self.daemon.feed(harness.silence(1))
        level = self.subscriber.until(lambda topic, _: topic == "kws.level", "kws.level")[-1][1]
        self.assertEqual(level["site"], "kitchen")
        self.assertEqual(self.daemon.kwsctl("set", "ipc.site", "hall").returncode, 0)
        self.assertEqual(self.daemon.kwsctl("mute").returncode, 0)
        self.assertEqual(self.subscriber.until_state("muted")[-1][1]["site"], "hall")

    def test_a_near_miss_is_told_as_one(self):
        word = harness.WORDS[0]
        self.start_stdin("detector.threshold=1", "detector.candidate_threshold=0.3")
        self.daemon.feed(numpy.concatenate([harness.silence(1), harness.speech(word)]))
        self.daemon.process.stdin.close()
        messages = self.subscriber.until_state("ended")
        self.assertEqual(harness.detections(messages), [])
        near = [event for topic, event in messages if topic == f"kws.candidate.{word}"]
        self.assertTrue(near, messages)
        self.assert_fields(near[0], DETECTION | {"site": type(None)})  # which is not configured
        self.assert_decision(near[0])
        self.assertEqual((near[0]["name"], near[0]["threshold"]), (word, 1))
        self.assertTrue(0.3 <= near[0]["score"] < 1, near)
        self.assertEqual(self.daemon.wait(), 0)


class GapTest(harness.DaemonTest):
    def test_lost_audio_is_told_and_counted(self):
        subscriber = self.subscribe("kws.state", "kws.score")
        daemon = self.start("audio.source=null", "audio.buffer_ms=300", "ipc.scores=yes")
        messages = subscriber.until(lambda topic, _: topic == "kws.score", "kws.score")
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        daemon.process.send_signal(signal.SIGCONT)
        last = harness.scores(messages + subscriber.until_state("gap"))[-1]
        self.assertGreaterEqual(daemon.status()["network"]["gaps"], 1)
        harness.wait_for(lambda: daemon.status()["audio"]["overrun_frames"] > harness.RATE_HZ,
                         "more than a second lost")
        lost = daemon.status()["audio"]["overrun_frames"]
        # samples count on while nobody takes them: a window further, all of it is new
        first = harness.scores(subscriber.until(lambda topic, _: topic == "kws.score", "kws.score"))[0]
        self.assertGreaterEqual(first["sample"] - last["sample"],
                                lost + harness.WINDOW_SAMPLES)


if __name__ == "__main__":
    harness.main()
