#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Speech through PulseAudio and PortAudio, and a sound card that is unplugged and comes back."""

import json
import os
import socket
import subprocess
import time

import harness
from harness import private_pulse

WORD = "right"


class PulseTest(harness.DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.word = harness.speech(WORD)

    def setUp(self):
        super().setUp()
        self.wav = self.folder / "word.wav"
        harness.write_wav(self.wav, self.word)
        self.pulse = private_pulse.PrivatePulse()
        self.pulse.start()
        self.addCleanup(self.pulse.stop)
        self.subscriber = self.subscribe("")
        self.daemon = self.start("ipc.scores=yes", "audio.stall_ms=500", env=self.pulse.env)
        self.wait_for_first_hop()

    def wait_for_first_hop(self):
        """What comes up to the first decision."""
        return self.subscriber.until(lambda topic, _: topic == "kws.score", "kws.score")

    def play_and_hear(self):
        self.pulse.play(self.wav)
        return self.subscriber.until(lambda topic, _: topic == f"kws.detection.{WORD}",
                                     "detection")

    def assert_no_gap(self, messages):
        hops = [event["hop"] for event in harness.scores(messages)]
        self.assertEqual(hops, list(range(hops[0], hops[-1] + 1)))

    def test_word_is_heard(self):
        self.assert_no_gap(self.play_and_hear())
        audio = self.daemon.status()["audio"]
        self.assertEqual((audio["source"], audio["device"], audio["state"]),
                         ("portaudio", "default", "running"))
        devices = self.daemon.kwsctl("devices")
        self.assertIn("default", devices.stdout)
        self.assertEqual(self.daemon.stop(), 0)

    def test_lost_card_comes_back(self):
        self.pulse.kill()
        before = harness.scores(self.subscriber.until_state("lost"))
        # it is told before the old stream is closed
        harness.wait_for(lambda: self.daemon.status()["audio"]["state"] in ("waiting", "opening"),
                         "the stream closed")
        self.pulse.restart()
        waiting = self.subscriber.until_state("listening")
        self.assertEqual(harness.scores(waiting), [], "decisions without audio")
        # Nothing of the time before the loss is in the first window after it.
        first = harness.scores(self.wait_for_first_hop())[0]
        last_sample = before[-1]["sample"] if before else 0
        self.assertGreaterEqual(first["sample"] - last_sample, harness.WINDOW_SAMPLES)
        self.assertEqual(self.play_and_hear()[-1][1]["boot"], self.daemon.status()["boot"])
        self.assertGreaterEqual(self.daemon.status()["audio"]["reopens"], 1)
        self.assertEqual(self.daemon.stop(), 0)

    def test_answers_while_the_card_hangs(self):
        """A server that does not answer keeps the old stream open; the loop must not wait for it."""
        self.pulse.pause()
        self.addCleanup(self.pulse.resume)
        began = time.monotonic()
        self.assertEqual(self.daemon.kwsctl("set", "audio.channel", "1").returncode, 0)
        for _ in range(3):
            self.assertIn(self.daemon.status()["audio"]["state"], ("closing", "opening"))
        self.assertLess(time.monotonic() - began, 3)
        self.pulse.resume()
        self.subscriber.until_state("listening")
        self.wait_for_first_hop()
        self.play_and_hear()
        self.assertEqual(self.daemon.stop(), 0)

    def test_more_channels_are_opened_for_a_higher_channel(self):
        """The card has 32; two are open where nobody asks for more."""
        for channel, channels in (("3", 3), ("4", 4), ("1", 2)):
            done = self.daemon.kwsctl("set", "audio.channel", channel)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.subscriber.until_state("listening")
            self.assertEqual(self.daemon.status()["audio"]["channels"], channels)
        self.wait_for_first_hop()
        self.play_and_hear()
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_pause_that_may_be_feeds_the_watchdog(self):
        self.assertEqual(self.daemon.stop(), 0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.folder / "notify"))
            manager.settimeout(5)
            self.daemon = self.start("audio.stall_ms=60000", env=dict(
                self.pulse.env, NOTIFY_SOCKET=str(self.folder / "notify"), WATCHDOG_USEC="2000000"))
            for text in (b"STATUS=listening: default", b"WATCHDOG=1"):
                while manager.recv(4096) != text:
                    pass
            self.pulse.pause()
            self.addCleanup(self.pulse.resume)
            for _ in range(4):
                self.assertEqual(manager.recv(4096), b"WATCHDOG=1")
            self.assertEqual(self.daemon.status()["audio"]["state"], "running")
            self.pulse.resume()
            self.assertEqual(self.daemon.stop(), 0)

    def test_a_device_that_hangs_starves_the_watchdog(self):
        """After stall_ms the stream is to be closed, and that never comes to an end."""
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon = self.start("audio.stall_ms=2000",
                                 env=dict(self.pulse.env, WATCHDOG_USEC="2000000"))
        harness.wait_for(lambda: "listening to" in self.daemon.log(), "a stream")
        self.pulse.pause()
        self.addCleanup(self.pulse.resume)
        harness.wait_for(lambda: self.daemon.log().count("half the watchdog's time") > 1,
                         "a watchdog that is not fed")
        self.assertEqual(self.daemon.status()["audio"]["state"], "closing")
        self.pulse.resume()
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_device_that_hangs_starves_the_watchdog_also_of_the_standard_input(self):
        """Which may pause as it likes, but is not opened before the device is closed."""
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon = self.start("audio.stall_ms=60000", stdin=subprocess.PIPE,
                                 env=dict(self.pulse.env, WATCHDOG_USEC="2000000"))
        harness.wait_for(lambda: "listening to" in self.daemon.log(), "a stream")
        self.pulse.pause()
        self.addCleanup(self.pulse.resume)
        changed = self.daemon.kwsctl("set", "audio.source", "stdin", "audio.rate_hz", "16000", "audio.channels", "1")
        self.assertEqual(changed.returncode, 0, changed.stderr)
        harness.wait_for(lambda: self.daemon.log().count("half the watchdog's time") > 1,
                         "a watchdog that is not fed")
        self.assertEqual(self.daemon.status()["audio"]["state"], "closing")
        self.pulse.resume()
        harness.wait_for(lambda: "listening to 'stdin'" in self.daemon.log(), "the standard input")
        self.assertEqual(self.daemon.stop(), 0)

    def test_tune_records_the_channel_of_the_configuration(self):
        table = self.folder / "list.tsv"
        table.write_text(f"path\tword\nword.wav\t{WORD}\n", encoding="utf-8")
        done = subprocess.run(
            [harness.KWS, "tune", "--json", "--policy", "always-1", "--clips", table, "--record", "0.02",
             *harness.options(f"model.path={harness.MODEL}", "audio.channel=3")], env=self.pulse.env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        halves = json.loads(done.stdout)["tuned"].values()
        self.assertGreater(sum(half["hops"] for half in halves), 0)

    def test_ends_while_the_card_is_away(self):
        self.pulse.kill()
        self.subscriber.until_state("lost")
        self.assertEqual(self.daemon.stop(), 0)


class DebugTest(harness.DaemonTest):
    """What ALSA and JACK write of a device that cannot be opened follows log.level, without a restart."""

    def start_broken(self, *settings):
        alsa = self.folder / "asound.conf"
        alsa.write_text("pcm.default { type nothing }\n", encoding="ascii")
        self.subscriber = self.subscribe("kws.state")
        self.daemon = self.start("audio.source=portaudio", *settings, env=dict(
            os.environ, ALSA_CONFIG_PATH=str(alsa), JACK_NO_START_SERVER="1"))
        self.subscriber.until_state("lost")

    def foreign_lines(self):
        return sum(self.daemon.log().count(text) for text in ("ALSA lib", "jack server"))

    def wait_for_tries(self, count):
        """Until so many more have failed."""
        wanted = self.daemon.log().count("trying again") + count
        harness.wait_for(lambda: self.daemon.log().count("trying again") >= wanted, f"{wanted} tries")

    def test_a_new_source(self):
        self.start_broken()
        self.assertEqual(self.foreign_lines(), 0)
        self.assertEqual(self.daemon.kwsctl("set", "log.level", "debug", "audio.buffer_ms", "900").returncode, 0)
        self.subscriber.until_state("opening")
        self.subscriber.until_state("lost")
        self.assertGreater(self.foreign_lines(), 0)

    def test_the_same_source(self):
        self.start_broken("log.level=debug")
        self.assertGreater(self.foreign_lines(), 0)
        self.assertEqual(self.daemon.kwsctl("set", "log.level", "info").returncode, 0)
        self.wait_for_tries(1)  # it may have begun before
        before = self.foreign_lines()
        self.wait_for_tries(1)
        self.assertEqual(self.foreign_lines(), before)


if __name__ == "__main__":
    harness.main(pulse=True)
