#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What its owner does to a running kwsd: mute it, look at it, change it for good."""

import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import harness
import numpy


class MuteTest(harness.DaemonTest):
    def start_stdin(self, *settings):
        daemon = self.start("audio.source=stdin", "audio.rate_hz=16000", "audio.channels=1", "ipc.level_ms=200", *settings,
                            stdin=subprocess.PIPE)
        self.subscriber = self.subscribe_surely("kws.state", "kws.detection.")
        return daemon

    def feed(self, daemon, samples):
        """All of it, and until kwsd has taken it."""
        before = daemon.status()["audio"]["frames"]
        daemon.feed(samples)
        harness.wait_for(lambda: daemon.status()["audio"]["frames"] == before + len(samples),
                         "all samples taken")

    def test_muted_it_hears_nothing_and_keeps_the_time(self):
        daemon = self.start_stdin()
        word = numpy.concatenate([harness.silence(2), harness.speech(harness.WORDS[0])])
        self.feed(daemon, word)
        first = self.subscriber.until(lambda topic, _: topic.startswith("kws.det"), "a word")[-1][1]
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.subscriber.until_state("muted")
        hops = daemon.status()["network"]["hops"]
        self.feed(daemon, word)
        status = daemon.status()
        self.assertEqual(status["mute"], {"on": True, "left_s": 0})
        self.assertEqual(status["network"]["hops"], hops)
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        heard = self.subscriber.until_state("listening")
        self.assertEqual(harness.detections(heard), [])
        self.feed(daemon, word)
        second = self.subscriber.until(lambda topic, _: topic.startswith("kws.det"), "a word")[-1][1]
        self.assertEqual(second["name"], first["name"])
        # the same word, later by two clips, one of which nobody heard; hops begin anew, so that
        # they may lie otherwise by less than one
        self.assertAlmostEqual(second["sample"] - first["sample"], 2 * len(word),
                               delta=harness.HOP_SAMPLES)

    def test_muted_for_a_time(self):
        daemon = self.start_stdin()
        self.assertEqual(daemon.kwsctl("mute", "--for", "60").returncode, 0)
        state = self.subscriber.until_state("muted")[-1][1]
        self.assertEqual(state["reason"], "for 60.0 s")
        mute = daemon.status()["mute"]
        self.assertTrue(mute["on"] and 0 < mute["left_s"] <= 60, mute)
        self.assertEqual(daemon.kwsctl("mute", "--for", "1").returncode, 0)
        self.subscriber.until_state("listening")
        self.assertFalse(daemon.status()["mute"]["on"])

    def assert_state(self, daemon, state, reason):
        status = daemon.status()
        self.assertEqual((status["state"], status["reason"]), (state, reason))

    def test_what_was_thrown_away_before_the_pipeline_was_built_is_not_counted(self):
        daemon = self.start_stdin("ipc.scores=yes")
        scores = self.subscribe_surely("kws.score")
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.feed(daemon, harness.silence(10))
        self.assertEqual(daemon.kwsctl("set", "model.hop_frames", "8").returncode, 0)
        self.feed(daemon, harness.silence(2))
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        self.feed(daemon, harness.silence(2))
        first = scores.until(lambda topic, _: topic == "kws.score", "a score")[-1][1]
        self.assertEqual(first["sample"], 2 * harness.RATE_HZ + harness.WINDOW_SAMPLES)

    def test_what_was_thrown_away_before_the_source_was_opened_anew_is_counted(self):
        daemon = self.start_stdin("ipc.scores=yes")
        scores = self.subscribe_surely("kws.score")
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.feed(daemon, harness.silence(5))
        self.assertEqual(daemon.kwsctl("set", "audio.buffer_ms", "1500").returncode, 0)
        harness.wait_for(lambda: daemon.status()["audio"]["frames"] == 0, "opened again")
        self.feed(daemon, harness.silence(2))
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        self.feed(daemon, harness.silence(2))
        first = scores.until(lambda topic, _: topic == "kws.score", "a score")[-1][1]
        self.assertEqual(first["sample"], 7 * harness.RATE_HZ + harness.WINDOW_SAMPLES)

    def test_unmuted_it_tells_what_the_source_is(self):
        daemon = self.start_stdin("audio.zeros_ms=500")
        self.feed(daemon, harness.silence(1))
        reason = self.subscriber.until_state("silent")[-1][1]["reason"]
        self.assert_state(daemon, "silent", reason)
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.assert_state(daemon, "muted", "until it is told to listen")
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        self.assert_state(daemon, "silent", reason)
        self.feed(daemon, numpy.full(160, 7, numpy.int16))
        self.subscriber.until_state("listening")
        no_audio = ("audio.source", "file", "audio.path", harness.MODEL)
        self.assertEqual(daemon.kwsctl("set", *no_audio).returncode, 0)
        reason = self.subscriber.until_state("failed")[-1][1]["reason"]
        self.assertEqual(daemon.kwsctl("mute", "--for", "1").returncode, 0)
        self.assert_state(daemon, "muted", "for 1.0 s")
        self.subscriber.until_state("muted")
        self.assertEqual(self.subscriber.until_state("failed")[-1][1]["reason"], reason)
        self.assert_state(daemon, "failed", reason)
        self.assertEqual(daemon.status()["mute"]["on"], False)

    def test_what_becomes_of_the_source_does_not_hide_the_mute(self):
        daemon = self.start_stdin()
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.subscriber.until_state("muted")
        self.assertEqual(daemon.kwsctl("set", "audio.buffer_ms", "1500").returncode, 0)
        told = self.subscriber.until_state("listening") + self.subscriber.until_state("muted")
        self.assertEqual([event["state"] for topic, event in told if topic == "kws.state"],
                         ["opening", "muted", "listening", "muted"])
        self.assert_state(daemon, "muted", "until it is told to listen")

    def test_nothing_but_zeros_is_told(self):
        daemon = self.start_stdin("audio.zeros_ms=500")
        daemon.feed(numpy.full(16000, 7, numpy.int16))
        daemon.feed(harness.silence(1))
        self.subscriber.until_state("silent")
        daemon.feed(numpy.full(160, 7, numpy.int16))
        self.subscriber.until_state("listening")
        self.assertEqual(daemon.status()["audio"]["zero_periods"], 1)

    def test_zeros_of_the_channel_that_is_listened_to_are_told(self):
        daemon = self.start_stdin("audio.channels=2", "audio.channel=2", "audio.zeros_ms=500")
        frames = numpy.zeros((16000, 2), numpy.int16)
        frames[:, 0] = 7
        daemon.feed(frames)
        self.subscriber.until_state("silent")
        daemon.feed(frames[:160, ::-1].copy())
        self.subscriber.until_state("listening")

    def test_level(self):
        daemon = self.start_stdin()
        self.feed(daemon, harness.silence(0.5))
        level = json.loads(daemon.kwsctl("level", "--json").stdout)
        self.assertEqual(set(level), {"rms_dbfs", "peak_dbfs", "muted"})
        self.assertFalse(level["muted"])
        self.assertLess(level["rms_dbfs"], 0)
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        nothing = {"rms_dbfs": None, "peak_dbfs": None, "muted": True}
        self.assertEqual(json.loads(daemon.kwsctl("level", "--json").stdout), nothing)
        self.assertEqual(daemon.status()["level"], nothing)
        self.assertNotIn("kwsd_level_rms_dbfs", daemon.kwsctl("metrics").stdout)
        self.assertEqual(daemon.kwsctl("level").stdout.split(),
                         ["rms_dbfs", "-", "peak_dbfs", "-", "muted", "true"])
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        no_audio = ("audio.source", "file", "audio.path", harness.MODEL)
        self.assertEqual(daemon.kwsctl("set", *no_audio).returncode, 0)
        self.subscriber.until_state("failed")
        self.assertEqual(daemon.status()["level"], dict(nothing, muted=False))
        refused = daemon.kwsctl("level", "--for", "3")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--for does not belong to 'level'", refused.stderr)

    def test_opened_again_in_the_middle_of_a_sample(self):
        daemon = self.start_stdin()
        ones = numpy.ones(1600, "<i2")
        daemon.feed(numpy.frombuffer(ones.tobytes() + b"\1", numpy.uint8))
        harness.wait_for(lambda: daemon.status()["audio"]["frames"] == len(ones), "all taken")
        self.assertEqual(daemon.kwsctl("set", "audio.buffer_ms", "1500").returncode, 0)
        harness.wait_for(lambda: daemon.status()["audio"]["frames"] == 0, "opened again")
        daemon.feed(numpy.frombuffer(b"\0" + ones.tobytes(), numpy.uint8))
        harness.wait_for(lambda: daemon.status()["audio"]["frames"] == len(ones), "all taken")
        level = json.loads(daemon.kwsctl("level", "--json").stdout)
        self.assertLess(level["peak_dbfs"], -90)  # shifted by a byte, 1 becomes 256: -42


class MuteAndDeathTest(harness.DaemonTest):
    """A microphone that was muted must not listen because the daemon died."""

    def setUp(self):
        super().setUp()
        self.file = self.folder / "run" / "muted"

    def start_null(self, *settings):
        daemon = self.start("audio.source=null", "ipc.level_ms=100", *settings)
        self.wait_until_ready(daemon)
        return daemon

    def leave(self, text):
        """The file as of one that died."""
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text(text, encoding="ascii")

    def assert_muted(self, daemon, reason):
        harness.wait_for(lambda: daemon.status()["audio"]["state"] == "running", "the source")
        status = daemon.status()
        self.assertEqual(status["state"], "muted")
        self.assertRegex(status["reason"], reason)
        self.assertTrue(status["mute"]["on"])
        self.assertIn(f"muted {status['reason']}", daemon.log())
        time.sleep(0.3)
        self.assertEqual(daemon.status()["network"]["hops"], 0)
        return status

    def test_for_a_time(self):
        daemon = self.start_null()
        self.assertEqual(daemon.kwsctl("mute", "--for", "600").returncode, 0)
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        subscriber = self.subscribe("kws.state")
        daemon = self.start_null()
        status = self.assert_muted(daemon, r"^for (600|5\d\d)\.\d s, as when kwsd died$")
        self.assertTrue(500 < status["mute"]["left_s"] < 600, status["mute"])
        self.assertEqual(daemon.kwsctl("mute", "--for", "1").returncode, 0)
        subscriber.until(lambda _, event: event["reason"] == "not muted any more", "the end of the mute")
        self.assertFalse(self.file.exists())
        harness.wait_for(lambda: daemon.status()["network"]["hops"] > 0, "hops")

    def test_until_it_is_told_to_listen(self):
        daemon = self.start_null()
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        daemon = self.start_null()
        status = self.assert_muted(daemon, "^until it is told to listen, as when kwsd died$")
        self.assertEqual(status["mute"]["left_s"], 0)
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        self.assertFalse(self.file.exists())
        self.assertEqual(daemon.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertFalse(self.start_null().status()["mute"]["on"])

    def test_an_end_in_order_ends_the_mute(self):
        daemon = self.start_null()
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.assertTrue(self.file.exists())
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(self.file.exists())
        self.assertFalse(self.start_null().status()["mute"]["on"])

    def test_a_start_that_fails_keeps_the_mute(self):
        """The service manager tries again."""
        self.leave("")
        self.assertEqual(self.start("audio.source=file", f"audio.path={harness.MODEL}").wait(), 1)
        self.assertTrue(self.file.exists())
        self.assert_muted(self.start_null(), "^until it is told to listen")

    def test_a_mute_that_is_over(self):
        self.leave("1\n")
        daemon = self.start_null()
        self.assertFalse(daemon.status()["mute"]["on"])
        self.assertFalse(self.file.exists())

    def test_what_means_nothing_mutes(self):
        self.leave("garbage")
        daemon = self.start_null()
        self.assert_muted(daemon, "^until it is told to listen")
        self.assertEqual(daemon.log().count("warning: "), 1)
        self.assertIn(f"the mute of before cannot be read: {self.file}: ", daemon.log())

    def test_a_file_that_cannot_be_written(self):
        daemon = self.start_null()
        self.file.mkdir()
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.assertEqual(daemon.status()["state"], "muted")
        self.assertIn(f"warning: mute: kwsd may listen again after a crash, though it is muted: cannot write {self.file}",
                      daemon.log())
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        self.assertEqual(daemon.status()["state"], "listening")
        self.file.rmdir()


class ServiceManagerTest(harness.DaemonTest):
    """The other end of $NOTIFY_SOCKET, where systemd would be."""

    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(self.folder / "notify"))
        self.manager.settimeout(harness.TIMEOUT_S)
        self.env = dict(os.environ, NOTIFY_SOCKET=str(self.folder / "notify"))

    def until(self, text):
        """What kwsd tells up to a datagram that is this text."""
        seen = []
        while text not in seen:
            try:
                seen.append(self.manager.recv(4096).decode())
            except TimeoutError:
                self.fail(f"no {text!r} among {seen}")
        return seen

    def test_it_says_what_it_does(self):
        self.write_config("[audio]", "source = null")
        daemon = self.start(arguments=("--config", str(self.config)), env=self.env)
        self.assertEqual(self.until("STATUS=listening: null")[0], "READY=1")
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.until("STATUS=muted: until it is told to listen")
        self.write_config("[audio]", "source = nil")
        refused = self.until("STATUS=muted: until it is told to listen; the last reload was refused")
        self.assertTrue(refused[0].startswith("RELOADING=1\nMONOTONIC_USEC="), refused)
        self.assertEqual(refused[1:-1], ["READY=1"])
        self.write_config("[audio]", "source = null")
        self.until("STATUS=muted: until it is told to listen")
        self.assertEqual(daemon.kwsctl("unmute").returncode, 0)
        self.until("STATUS=listening: not muted any more")
        self.assertEqual(daemon.stop(), 0)
        self.until("STOPPING=1")

    def test_the_watchdog_is_fed_while_muted(self):
        """Then nothing is decided: that alone must not look like a daemon that hangs."""
        daemon = self.start("audio.source=null", env=dict(self.env, WATCHDOG_USEC="400000"))
        self.until("WATCHDOG=1")
        self.assertEqual(daemon.kwsctl("mute").returncode, 0)
        self.until("STATUS=muted: until it is told to listen")
        for _ in range(4):
            self.until("WATCHDOG=1")
        self.assertEqual(daemon.stop(), 0)

    def test_the_watchdog_is_fed_while_nobody_writes_to_the_standard_input(self):
        daemon = self.start("audio.source=stdin", "audio.rate_hz=16000", "audio.channels=1", stdin=subprocess.PIPE,
                            env=dict(self.env, WATCHDOG_USEC="400000"))
        self.until("STATUS=listening: stdin")
        start = len(daemon.log())  # a slow one may have the line
        [self.until("WATCHDOG=1") for _ in range(5)]
        self.assertNotIn("half the watchdog's time", daemon.log()[start:])
        self.assertEqual(daemon.stop(), 0)


class PersistTest(harness.DaemonTest):
    def start_with_file(self, *settings, link_to=None, **how):
        self.write_config("# the owner's", "[audio]", "source = null", "[detector]", "# loud here",
                          "threshold = 0.7 ; as ever")
        if link_to is not None:
            link_to.parent.mkdir()
            self.config.rename(link_to)
            self.config.symlink_to(link_to)
        daemon = self.start_bare("--config", str(self.config),
                                 *harness.options(f"model.path={harness.MODEL}", *settings),
                                 **how)
        self.wait_until_ready(daemon)
        return daemon

    def test_a_change_for_good(self):
        daemon = self.start_with_file()
        done = daemon.kwsctl("set", "--persist", "detector.threshold", "0.9", "ipc.site", "hall")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.config.read_text(encoding="utf-8").splitlines(),
                         ["# the owner's", "[audio]", "source = null", "[detector]", "# loud here",
                          "threshold = 0.9 ; as ever", "", "[ipc]", "site = hall"])
        self.assertEqual(daemon.kwsctl("reload").returncode, 0)
        self.assertEqual(daemon.get("detector.threshold"), "0.9")
        self.assertEqual(daemon.get("ipc.site"), "hall")

    def test_a_change_for_good_leaves_the_others(self):
        """kwsd's own change of the file is none of its owner's."""
        daemon = self.start_with_file()
        self.assertEqual(daemon.kwsctl("set", "detector.threshold", "0.8").returncode, 0)
        self.assertEqual(daemon.kwsctl("set", "--persist", "ipc.site", "hall").returncode, 0)
        harness.wait_for(lambda: daemon.status()["config"]["reloads"] >= 3, "its own change is seen")
        self.assertEqual(daemon.get("detector.threshold"), "0.8")
        self.config.write_text(self.config.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        harness.wait_for(lambda: daemon.get("detector.threshold") == "0.7", "the file is read again")
        self.assertEqual(daemon.get("ipc.site"), "hall")

    def test_a_set_after_a_reload_stays(self):
        """The watcher, which is slower, does not tell of the edit once more."""
        daemon = self.start_with_file()
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(text.replace("0.7", "0.6"), encoding="utf-8")
        self.assertEqual(daemon.kwsctl("reload").returncode, 0)
        self.assertEqual(daemon.kwsctl("set", "detector.refractory_ms", "1234").returncode, 0)
        time.sleep(0.6)  # three times the watcher's debounce
        self.assertEqual(daemon.get("detector.refractory_ms"), "1234")
        self.assertEqual(daemon.get("detector.threshold"), "0.6")

    def edit(self, threshold):
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(re.sub("threshold = [^ ]*", f"threshold = {threshold}", text),
                               encoding="utf-8")

    def test_a_set_right_after_an_edit_stays(self):
        """The watcher, which is slower, does not end it; what was set before the edit ends."""
        daemon = self.start_with_file()
        self.assertEqual(daemon.kwsctl("set", "ipc.site", "hall").returncode, 0)
        self.edit("0.6")
        self.assertEqual(daemon.kwsctl("set", "detector.refractory_ms", "1234").returncode, 0)
        self.assertEqual((daemon.get("ipc.site"), daemon.get("detector.threshold")), ("", "0.6"))
        time.sleep(0.6)  # three times the watcher's debounce
        self.assertEqual(daemon.get("detector.refractory_ms"), "1234")
        self.edit("0.5")
        done = daemon.kwsctl("set", "--persist", "ipc.site", "hall")
        self.assertEqual(done.returncode, 0, done.stderr)
        harness.wait_for(lambda: daemon.get("detector.refractory_ms") != "1234", "what was set ends")
        time.sleep(0.6)
        self.assertEqual((daemon.get("ipc.site"), daemon.get("detector.threshold")), ("hall", "0.5"))

    def test_an_edit_before_a_set_that_is_refused(self):
        """It counts by itself, good or not."""
        daemon = self.start_with_file()
        self.assertEqual(daemon.kwsctl("set", "ipc.site", "hall").returncode, 0)
        self.edit("0.6")
        self.assertEqual(daemon.kwsctl("set", "detector.rearm", "7").returncode, 1)
        harness.wait_for(lambda: daemon.get("detector.threshold") == "0.6", "the edit")
        self.assertEqual(daemon.get("ipc.site"), "")
        self.assertEqual(daemon.status()["config"]["last_error"], "")
        self.edit("much")
        done = daemon.kwsctl("set", "ipc.site", "hall")
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.config), done.stderr)
        self.assertIn(str(self.config), daemon.status()["config"]["last_error"])
        self.assertEqual((daemon.get("ipc.site"), daemon.get("detector.threshold")), ("", "0.6"))
        self.edit("0.5")
        harness.wait_for(lambda: daemon.get("detector.threshold") == "0.5", "the next edit")

    def test_a_file_that_cannot_be_watched(self):
        daemon = self.start_with_file(through=self.without_watches())
        self.assertIn(f"warning: cannot watch {self.config}: too many open files: see "
                      "fs.inotify.max_user_instances; SIGHUP and kwsctl reload still read it\n",
                      daemon.log())
        done = daemon.kwsctl("set", "--persist", "ipc.site", "hall")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.edit("0.6")
        self.assertEqual(daemon.kwsctl("reload").returncode, 0)
        self.assertEqual((daemon.get("ipc.site"), daemon.get("detector.threshold")), ("hall", "0.6"))

    def test_a_change_for_good_behind_a_link(self):
        """What replaces the link is its owner's change, though kwsd made the one before."""
        daemon = self.start_with_file(link_to=self.folder / "owner" / "kwsd.conf")
        self.assertEqual(daemon.kwsctl("set", "detector.refractory_ms", "1234").returncode, 0)
        self.assertEqual(daemon.kwsctl("set", "--persist", "ipc.site", "hall").returncode, 0)
        self.assertTrue(self.config.is_symlink())
        harness.wait_for(lambda: daemon.status()["config"]["reloads"] >= 3, "its own change is seen")
        self.assertEqual(daemon.get("detector.refractory_ms"), "1234")
        self.write_config("[audio]", "source = null")
        harness.wait_for(lambda: daemon.get("ipc.site") == "", "the owner's file is read")
        self.assertNotEqual(daemon.get("detector.refractory_ms"), "1234")

    def test_an_edit_while_it_starts(self):
        """Between the first reading and the watch: there kwsd waits for room in its log."""
        self.write_config("[audio]", "source = null", "[log]", "level = debug")
        log, full = os.pipe()
        self.addCleanup(os.close, log)
        size = fcntl.fcntl(full, fcntl.F_GETPIPE_SZ)
        os.write(full, bytes(size))
        env = dict(os.environ, KWSD_RUNTIME_DIR=str(self.folder / "run"))
        process = subprocess.Popen([harness.KWSD, "--config", str(self.config),
                                    *harness.options(f"model.path={harness.MODEL}")],
                                   env=env, stderr=full)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(full)
        harness.wait_for((self.folder / "run" / "control").exists, "the sockets")
        self.write_config("[audio]", "source = null", "[ipc]", "site = hall")
        os.read(log, size)
        got = harness.wait_for(
            lambda: subprocess.run([harness.KWSCTL, "get", "ipc.site"], env=env, check=False,
                                   text=True, stdout=subprocess.PIPE).stdout, "an answer")
        self.assertEqual(got, "hall\n")

    def test_a_change_that_cannot_last(self):
        before = "set on the command line"
        daemon = self.start_with_file(f"ipc.site={before}")
        for change, sentence in ((("detector.threshold", "7"), "threshold"),
                                 (("ipc.site", "hall"), "command line")):
            with self.subTest(change):
                text = self.config.read_text(encoding="utf-8")
                done = daemon.kwsctl("set", "--persist", *change)
                self.assertEqual(done.returncode, 1)
                self.assertIn(sentence, done.stderr)
                self.assertEqual(self.config.read_text(encoding="utf-8"), text)
        self.assertEqual(daemon.get("ipc.site"), "hall")  # until the file is read again
        alone = daemon.kwsctl("status", "--persist")
        self.assertEqual(alone.returncode, 2)
        self.assertIn("--persist", alone.stderr)


    def refuse_restart_key(self, daemon, key, value, reason):
        """With another key, which is not set either."""
        before = daemon.get(key)
        done = daemon.kwsctl("set", "--persist", "detector.refractory_ms", "1234", key, value)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"nothing is changed: {key} comes about with a restart of kwsd only and is "
                      f"not in the file: {reason}", done.stderr)
        self.assertEqual(daemon.get(key), before)
        self.assertNotEqual(daemon.get("detector.refractory_ms"), "1234")

    def test_what_needs_a_restart_is_in_the_file_or_nowhere(self):
        before = f"ipc://{self.folder}/run/before"
        daemon = self.start_with_file(f"ipc.events={before}", f" ipc . control = ipc://{self.folder}/run/control")
        text = self.config.read_text(encoding="utf-8")
        self.assertEqual(daemon.kwsctl("set", "ipc.site", "hall").returncode, 0)
        self.refuse_restart_key(daemon, "ipc.events", f"ipc://{self.folder}/run/after",
                                "kwsd's command line sets 'ipc.events'")
        self.refuse_restart_key(daemon, "ipc.control", f"ipc://{self.folder}/run/after",
                                "kwsd's command line sets 'ipc.control'")
        self.refuse_restart_key(daemon, "ipc.keys", "/" + 300 * "x", "")
        self.assertEqual(daemon.get("ipc.site"), "hall")
        self.assertEqual(self.config.read_text(encoding="utf-8"), text)
        done = daemon.kwsctl("set", "--persist", "ipc.keys", "/nowhere")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(daemon.get("ipc.keys"), "/nowhere")
        self.assertIn("keys = /nowhere", self.config.read_text(encoding="utf-8"))

    def test_what_needs_a_restart_without_a_file(self):
        daemon = self.start("audio.source=null")
        self.wait_until_ready(daemon)
        self.refuse_restart_key(daemon, "ipc.keys", "/nowhere", "kwsd runs without one")
        done = daemon.kwsctl("set", "--persist", "ipc.site", "hall")
        self.assertEqual(done.returncode, 1)
        self.assertIn("in effect until kwsd ends, but not in the file", done.stderr)
        self.assertEqual(daemon.get("ipc.site"), "hall")


class MetricsTest(harness.DaemonTest):
    def parse(self, text):
        """{name with labels: value}; every metric has its help and its type before it."""
        values, described = {}, set()
        for line in text.splitlines():
            if line.startswith("# "):
                described.add(line.split()[2])
            else:
                name, value = line.rsplit(" ", 1)
                self.assertIn(name.split("{")[0], described)
                values[name] = float(value)
        return values

    def test_metrics_tell_what_status_tells(self):
        file = self.folder / "kwsd.prom"
        daemon = self.start("audio.source=null", f"ipc.metrics_path={file}")
        self.wait_until_ready(daemon)
        harness.wait_for(lambda: daemon.status()["network"]["hops"] > 3, "hops")
        before = daemon.status()
        printed = daemon.kwsctl("metrics")
        self.assertEqual(printed.returncode, 0)
        values = self.parse(printed.stdout)
        self.assertGreaterEqual(values["kwsd_hops_total"], before["network"]["hops"])
        self.assertGreaterEqual(values['kwsd_rows_total{model="commands"}'],
                                before["network"]["rows"])
        self.assertEqual(sum(value for name, value in values.items()
                             if name.startswith("kwsd_hops_at_exit_total{")),
                         values["kwsd_hops_total"])
        self.assertEqual((values["kwsd_muted"], values["kwsd_audio_running"]), (0, 1))
        self.assertGreaterEqual(values["kwsd_hop_p99_microseconds"],
                                values["kwsd_hop_p50_microseconds"])
        self.assertIn('kwsd_info{version="', printed.stdout)
        harness.wait_for(file.exists, "the file")
        # the level may be missing: the file is of the first moment, perhaps before any sound
        written = set(self.parse(file.read_text(encoding="utf-8")))
        self.assertEqual(written | {"kwsd_level_rms_dbfs"}, set(values))
        self.assertEqual(file.stat().st_mode & 0o777, 0o644)

    def test_a_file_that_cannot_be_written_is_told(self):
        path = self.folder / "missing" / "kwsd.prom"
        daemon = self.start("audio.source=null", f"ipc.metrics_path={path}")
        self.wait_until_ready(daemon)
        harness.wait_for(lambda: f"no metrics: cannot write {path}" in daemon.log(), "a warning")


class ModelsTest(harness.DaemonTest):
    def setUp(self):
        super().setUp()
        self.models = self.folder / "models"
        self.models.mkdir()
        for name in ("one", "two"):
            shutil.copy(harness.MODEL, self.models / f"{name}.safetensors")
        (self.models / "broken.safetensors").write_bytes(b"no model")
        (self.models / "one.vectors.safetensors").write_bytes(b"not to be listed")
        self.daemon = self.start("audio.source=null",
                                 f"model.path={self.models}/one.safetensors")
        self.wait_until_ready(self.daemon)

    def test_models(self):
        found = json.loads(self.daemon.kwsctl("models", "--json").stdout)
        self.assertEqual([pathlib.Path(model["path"]).name for model in found],
                         ["broken.safetensors", "one.safetensors", "two.safetensors"])
        broken, one, two = found
        self.assertEqual(set(broken), {"path", "error"})
        self.assertIn("yes", one["labels"])
        self.assertEqual((one["exits"], one["current"], two["current"]), (5, True, False))

    def test_load_model(self):
        self.assertEqual(self.daemon.kwsctl("load-model", "two").returncode, 0)
        self.assertEqual(self.daemon.get("model.path"), f"{self.models}/two.safetensors")
        harness.wait_for(lambda: self.daemon.status()["network"]["hops"] > 0, "hops of the new one")
        for wrong, sentence in (("broken", "broken.safetensors"), ("three", "three.safetensors"),
                                (f"{self.folder}/nowhere/x", "nowhere")):
            with self.subTest(wrong):
                done = self.daemon.kwsctl("load-model", wrong)
                self.assertEqual(done.returncode, 1)
                self.assertIn(sentence, done.stderr)
        self.assertEqual(self.daemon.get("model.path"), f"{self.models}/two.safetensors")


if __name__ == "__main__":
    harness.main()
