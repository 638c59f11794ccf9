#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The audio of a detection: to subscribers as kws.audio, and as clips in a folder."""

import json
import shutil
import subprocess
import wave

import harness
import numpy
import zmq

PREROLL_MS = 1500
NO_PREROLL = "[clips].preroll_ms is 0: no audio is kept"
NO_NEAR_MISSES = "[clips].near_misses: there are none"


class ClipsTest(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.clips = self.folder / "clips"
        self.clips.mkdir()
        self.samples = numpy.concatenate([harness.silence(2), harness.speech(harness.WORDS[0]),
                                          harness.silence(1)])

    def start_stdin(self, *settings, topics=(), arguments=()):
        daemon = self.start("audio.source=stdin", "audio.rate_hz=16000", "audio.channels=1",
                            "ipc.level_ms=200", *settings, arguments=arguments, stdin=subprocess.PIPE)
        self.subscriber = self.subscribe_surely("kws.state", "kws.detection.", *topics)
        return daemon

    def read(self, text, sound):
        """What is told of a clip, and its samples."""
        self.assertEqual((text.suffix, sound.suffix), (".json", ".wav"))
        described = json.loads(text.read_text(encoding="utf-8"))
        self.assertTrue(sound.stem.endswith(f"-{described['name']}"), sound)
        with wave.open(str(sound)) as file:
            self.assertEqual((file.getframerate(), file.getnchannels(), file.getsampwidth()),
                             (16000, 1, 2))
            return described, numpy.frombuffer(file.readframes(file.getnframes()), "<i2")

    def saved(self, daemon, count):
        return harness.wait_for(lambda: daemon.status()["clips"]["saved"] >= count
                                and sorted(self.clips.iterdir()), f"{count} clips")

    def test_a_clip_is_what_was_heard(self):
        daemon = self.start_stdin(f"clips.preroll_ms={PREROLL_MS}", f"clips.folder={self.clips}")
        daemon.feed(self.samples)
        topic, event = self.subscriber.until(lambda topic, _: topic.startswith("kws.det"), "a word")[-1]
        described, heard = self.read(*self.saved(daemon, 1))
        self.assertEqual(list(described), ["topic", *event, "start_sample", "end_sample"])
        self.assertEqual({key: described[key] for key in event}, event)
        self.assertEqual(described["topic"], topic)
        # blocks of 10 ms: what is written ends with the block in which the window ended
        self.assertEqual(len(heard), PREROLL_MS * 16)
        end = -(-event["sample"] // 160) * 160
        self.assertEqual((described["start_sample"], described["end_sample"]), (end - len(heard), end))
        numpy.testing.assert_array_equal(heard, self.samples[end - len(heard):end])

    def test_a_near_miss_is_saved_as_one(self):
        daemon = self.start_stdin(f"clips.preroll_ms={PREROLL_MS}", f"clips.folder={self.clips}",
                                  "clips.near_misses=yes", "detector.threshold=1",
                                  "detector.candidate_threshold=0.3", "ipc.site=hall", topics=("kws.candidate.",))
        daemon.feed(self.samples)
        topic, event = self.subscriber.until(lambda topic, _: topic.startswith("kws.cand"), "a near miss")[-1]
        described, heard = self.read(*self.saved(daemon, 1)[:2])
        self.assertEqual(described["topic"], topic)
        self.assertEqual({key: described[key] for key in event}, event)
        # it is told when the score has fallen again
        self.assertGreaterEqual(described["end_sample"], event["sample"] + harness.HOP_SAMPLES)
        numpy.testing.assert_array_equal(
            heard, self.samples[described["start_sample"]:described["end_sample"]])
        model = daemon.status()["network"]["models"][0]
        self.assertEqual(set(model["keyword_detections"].values()), {0})
        self.assertGreaterEqual(model["keyword_near_misses"][event["name"]], 1)

    def test_subscribers_get_the_audio(self):
        daemon = self.start_stdin(f"clips.preroll_ms={PREROLL_MS}", "clips.publish=yes",
                                  topics=("kws.audio.",))
        daemon.feed(self.samples)
        while True:
            self.assertTrue(self.subscriber.socket.poll(harness.TIMEOUT_S * 1000))
            frames = self.subscriber.socket.recv_multipart()
            if frames[0].startswith(b"kws.audio."):
                break
        header = json.loads(frames[1])
        self.assertEqual(frames[0].decode(), "kws.audio." + header["name"])
        self.assertEqual((header["format"], header["rate_hz"], header["seq"]), ("S16LE", 16000, 1))
        # just before the detection that it belongs to
        topic, event = self.subscriber.receive(harness.TIMEOUT_S)
        self.assertEqual(topic, "kws.detection." + header["name"])
        for key in ("hop", "sample", "time", "monotonic_ns", "model", "site"):
            self.assertEqual(header[key], event[key], key)
        heard = numpy.frombuffer(frames[2], "<i2")
        numpy.testing.assert_array_equal(
            heard, self.samples[header["start_sample"]:header["end_sample"]])
        self.assertEqual(list(self.clips.iterdir()), [])

    def test_who_does_not_read_costs_little_and_takes_nothing_from_others(self):
        daemon = self.start_stdin("clips.preroll_ms=30000", "clips.publish=yes")
        topic = "kws.audio." + harness.WORDS[0]
        reader = self.subscribe(topic).socket
        self.context.setsockopt(zmq.RCVHWM, 1)  # for sockets to come
        hung = self.subscribe(topic).socket
        self.subscribe_surely()  # they are there, too
        daemon.feed(harness.silence(30))
        before = harness.memory_kib(daemon.process.pid)
        word = numpy.concatenate([harness.speech(harness.WORDS[0]), harness.silence(2)])
        for number in range(1, 71):
            daemon.feed(word)
            self.assertTrue(reader.poll(harness.TIMEOUT_S * 1000), number)
            frames = reader.recv_multipart()
            self.assertEqual((json.loads(frames[1])["seq"], len(frames[2])), (number, 960_000))
        self.assertLess(harness.memory_kib(daemon.process.pid) - before, 48 * 1024)
        self.assertTrue(hung.poll(0))

    def test_without_being_asked_no_audio_leaves(self):
        daemon = self.start_stdin(f"clips.folder={self.clips}", "clips.publish=yes",
                                  topics=("kws.audio.",))
        self.assertEqual(daemon.log().count(f"warning: {NO_PREROLL}"), 1)
        daemon.feed(self.samples)
        self.subscriber.until(lambda topic, _: topic.startswith("kws.det"), "a word")
        self.assertEqual(daemon.stop(), 0)
        while message := self.subscriber.receive(0.2):
            self.assertEqual(message[0], "kws.level")
        self.assertEqual(list(self.clips.iterdir()), [])

    def check(self, *settings):
        """What --check-config says against settings that are good all the same."""
        done = subprocess.run([harness.KWSD, "--check-config", *harness.options(
            "audio.source=null", f"model.path={harness.MODEL}", *settings)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, text=True)
        self.assertEqual(done.stdout, "the configuration is good\n")
        return done.stderr

    def test_clips_that_will_never_be_are_warned_of(self):
        folder, preroll = f"clips.folder={self.clips}", f"clips.preroll_ms={PREROLL_MS}"
        near = "clips.near_misses=yes"
        for asked in (folder, "clips.publish=yes", near):
            self.assertIn(NO_PREROLL, self.check(asked))
            self.assertNotIn(NO_PREROLL, self.check(preroll, asked))
        self.assertIn(NO_NEAR_MISSES, self.check(folder, preroll, near))
        self.assertIn("without [clips].folder", self.check(preroll, near, "detector.candidate_threshold=0.3"))
        for settings in ((), (folder, preroll, near, "detector.candidate_threshold=0.3")):
            self.assertNotIn("warning", self.check(*settings))

    def test_one_key_after_the_other_is_warned_of_and_taken(self):
        daemon = self.start("audio.source=null")
        self.wait_until_ready(daemon)
        for key, value, warned in (("clips.folder", self.clips, 1), ("clips.near_misses", "yes", 2),
                                   ("clips.preroll_ms", "500", 2), ("detector.candidate_threshold", "0.3", 2)):
            self.assertEqual(daemon.kwsctl("set", key, value).returncode, 0)
            self.assertEqual(daemon.log().count(NO_PREROLL), warned, key)
        self.assertEqual(daemon.log().count(NO_NEAR_MISSES), 2)

    def test_the_oldest_clips_make_room(self):
        old = self.clips / "20200101T000000.000Z-yes.wav"
        part = self.clips / "20200101T000001.000Z-yes.part"  # left by a power cut
        new = self.clips / "20200102T000000.000Z-yes.wav"
        mine = self.clips / "notes.txt"
        for path in (old, part, new, mine):
            path.write_bytes(b"x" * 600_000)
        daemon = self.start_stdin(f"clips.preroll_ms={PREROLL_MS}", f"clips.folder={self.clips}",
                                  "clips.quota_mb=1")
        daemon.feed(self.samples)
        names = [path.name for path in self.saved(daemon, 1)]
        self.assertNotIn(old.name, names)
        self.assertNotIn(part.name, names)
        self.assertIn(new.name, names)
        self.assertIn(mine.name, names)
        self.assertEqual(daemon.status()["clips"]["removed"], 2)

    def test_a_folder_that_goes_away_is_told_and_does_no_harm(self):
        daemon = self.start_stdin(f"clips.preroll_ms={PREROLL_MS}", f"clips.folder={self.clips}")
        shutil.rmtree(self.clips)
        daemon.feed(self.samples)
        fault = self.subscriber.until_state("fault")[-1][1]
        self.assertIn(str(self.clips), fault["reason"])
        self.assertEqual(daemon.status()["clips"], {"saved": 0, "failed": 1, "removed": 0})
        other = daemon.kwsctl("set", "detector.refractory_ms", "1234")
        self.assertEqual((other.returncode, other.stderr), (0, ""))
        refused = daemon.kwsctl("set", "clips.folder", f"{self.folder}/missing")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("[clips].folder", refused.stderr)

    def test_a_folder_that_comes_later(self):
        """As that of a disk which is slower than kwsd."""
        self.clips.rmdir()
        daemon = self.start_stdin(f"clips.preroll_ms={PREROLL_MS}", f"clips.folder={self.clips}")
        self.assertIn(f"warning: no clips for now: [clips].folder: cannot write to '{self.clips}'", daemon.log())
        self.assertEqual(daemon.kwsctl("set", "detector.refractory_ms", "1234").returncode, 0)
        self.clips.mkdir()
        daemon.feed(self.samples)
        self.assertEqual(len(self.saved(daemon, 1)), 2)

    def test_an_edit_brings_a_folder_back_that_is_gone(self):
        """Not from where `set` had led clips to: that must not stand in the way of what else was edited."""
        gone = self.folder / "gone"
        self.write_config("[clips]", f"folder = {gone}")
        daemon = self.start_stdin(f"clips.preroll_ms={PREROLL_MS}", arguments=("--config", self.config))
        self.assertEqual(daemon.kwsctl("set", "clips.folder", self.clips).returncode, 0)
        self.write_config("[clips]", f"folder = {gone}", "[detector]", "refractory_ms = 1234")
        harness.wait_for(lambda: daemon.get("detector.refractory_ms") == "1234", "the edit")
        self.assertEqual(daemon.get("clips.folder"), str(gone))
        self.assertIn("no clips for now", self.subscriber.until_state("fault")[-1][1]["reason"])


if __name__ == "__main__":
    harness.main()
