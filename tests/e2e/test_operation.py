#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What its owner does to a running kwsd: mute it, look at it, change it for good."""

import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import harness
import numpy


class MuteTest(harness.DaemonTest):
    def start_stdin(self, *settings):
        daemon = self.start("audio.source=stdin", "audio.rate_hz=16000", "audio.channels=1",
                            "ipc.level_ms=200", *settings, stdin=subprocess.PIPE)
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

    def test_nothing_but_zeros_is_told(self):
        daemon = self.start_stdin("audio.zeros_ms=500")
        daemon.feed(numpy.full(16000, 7, numpy.int16))
        daemon.feed(harness.silence(1))
        self.subscriber.until_state("silent")
        daemon.feed(numpy.full(160, 7, numpy.int16))
        self.subscriber.until_state("listening")
        self.assertEqual(daemon.status()["audio"]["zero_periods"], 1)

    def test_level(self):
        daemon = self.start_stdin()
        self.feed(daemon, harness.silence(0.5))
        level = json.loads(daemon.kwsctl("level", "--json").stdout)
        self.assertEqual(set(level), {"rms_dbfs", "peak_dbfs", "muted"})
        self.assertFalse(level["muted"])
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


class PersistTest(harness.DaemonTest):
    def start_with_file(self, *settings, link_to=None):
        self.write_config("# the owner's", "[audio]", "source = null", "[detector]", "# loud here",
                          "threshold = 0.7 ; as ever")
        if link_to is not None:
            link_to.parent.mkdir()
            self.config.rename(link_to)
            self.config.symlink_to(link_to)
        daemon = self.start_bare("--config", str(self.config),
                                 *harness.options(f"model.path={harness.MODEL}", *settings))
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
        alone = daemon.kwsctl("status", "--persist")
        self.assertEqual(alone.returncode, 2)
        self.assertIn("--persist", alone.stderr)


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
        self.assertEqual(set(self.parse(file.read_text(encoding="utf-8"))), set(values))
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
