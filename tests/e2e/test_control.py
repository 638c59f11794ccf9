#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The control protocol, and how kwsd starts and ends."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import unittest

import harness
import zmq


def leaves(value, path=()):
    """The names of what is in a status, with dots: lists as a whole."""
    if not isinstance(value, dict):
        return {".".join(path)}
    return set().union(*(leaves(item, (*path, key)) for key, item in value.items()))


class ControlTest(harness.DaemonTest):
    def start_null(self, *settings):
        daemon = self.start("audio.source=null", *settings)
        self.wait_until_ready(daemon)
        return daemon

    def test_status(self):
        daemon = self.start_null()
        harness.wait_for(lambda: daemon.status()["network"]["warm"], "a whole window")
        status = daemon.status()
        self.assertEqual(status["pid"], daemon.process.pid)
        self.assertEqual(status["config"], {"path": "", "reloads": 0, "refused": 0, "last_error": ""})
        self.assertEqual(set(status["events"]), {"sent", "failed"})
        self.assertEqual((status["state"], status["reason"]), ("listening", "null"))
        self.assertEqual(status["audio"]["source"], "null")
        self.assertEqual(status["audio"]["state"], "running")
        self.assertGreater(status["audio"]["frames"], 0)
        network = status["network"]
        self.assertEqual(sum(network["hops_at_exit"]), network["hops"])
        self.assertEqual((network["detections"], network["gaps"]), (0, 0))
        self.assertEqual(set(status["level"]), {"rms_dbfs", "peak_dbfs", "muted"})
        later = harness.wait_for(
            lambda: daemon.status()["network"]["hops"] > network["hops"] and daemon.status(),
            "more hops")
        self.assertEqual(later["boot"], status["boot"])
        self.assertGreater(later["uptime_s"], status["uptime_s"])

    def test_get(self):
        daemon = self.start_null("ipc.site=the hall")
        self.assertEqual(daemon.get("ipc.site"), "the hall")
        everything = json.loads(daemon.kwsctl("get", "--json").stdout)
        self.assertEqual(everything["ipc.site"], "the hall")
        self.assertEqual(everything["audio.source"], "null")
        self.assertTrue(all(isinstance(value, str) for value in everything.values()))
        refused = daemon.kwsctl("get", "no.such.key")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no.such.key", refused.stderr)

    def test_devices(self):
        daemon = self.start_null()
        self.assertEqual(json.loads(daemon.kwsctl("devices", "--json").stdout), [])

    def test_a_full_disk_is_no_success_of_kwsctl(self):
        daemon = self.start_null("ipc.scores=yes")
        keys = self.folder / "keys"
        keys.mkdir(mode=0o700)
        for command in (
                ("status",), ("get", "--json"), ("metrics",), ("--help",), ("--version",),
                ("monitor", "--scores", "--count", "1"), ("keygen", self.folder / "client"),
                ("authorize", "client", self.folder / "client.pub", "--keys", keys),
                ("revoke", "client", "--keys", keys)):
            with self.subTest(command), open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([harness.KWSCTL, *command], env=daemon.env, stdout=full, text=True,
                                      stderr=subprocess.PIPE, check=False, timeout=harness.TIMEOUT_S)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr, "kwsctl: cannot write the output\n")

    def connect(self, kind):
        """A socket, and what sends a text through it and gives the answer."""
        socket = self.context.socket(kind)
        self.addCleanup(socket.close)
        socket.connect(f"ipc://{self.folder}/run/control")

        def ask(text):
            socket.send_string(text)
            self.assertTrue(socket.poll(harness.TIMEOUT_S * 1000))
            return json.loads(socket.recv())
        return socket, ask

    def test_any_client_can_speak_the_protocol(self):
        daemon = self.start_null()
        socket, ask = self.connect(zmq.DEALER)
        answer = ask('{"jsonrpc": "2.0", "id": "a", "method": "get", '
                     '"params": {"key": "log.level"}}')
        self.assertEqual(answer, {"jsonrpc": "2.0", "id": "a", "result": {"log.level": "info"}})
        unknown = ask('{"jsonrpc": "2.0", "id": 2, "method": "abracadabra"}')
        self.assertEqual((unknown["id"], unknown["error"]["code"]), (2, -32601))
        broken = ask("{")
        self.assertEqual((broken["id"], broken["error"]["code"]), (None, -32700))
        before = daemon.status()["control"]
        self.assertEqual(set(before), {"requests", "refused", "malformed", "dropped"})
        socket.send_multipart([b"neither", b"nor"])
        ask("{")
        control = daemon.status()["control"]
        self.assertEqual(control, dict(before, malformed=before["malformed"] + 1,
                                       requests=before["requests"] + 2))
        metrics = daemon.kwsctl("metrics").stdout
        self.assertIn(f"kwsd_control_malformed_total {control['malformed']}\n", metrics)
        for count in ("requests", "refused", "dropped"):
            self.assertIn(f"\nkwsd_control_{count}_total ", metrics)

    def test_the_document_has_all(self):
        text = (harness.ROOT / "docs/control.md").read_text(encoding="utf-8")
        rows = {}  # by section: what follows the first cell of a table's row, by that cell
        for section in text.split("\n## ")[1:]:
            found = re.findall(r"^\| `?([\w.-]+)`? \|(.*)$", section, re.MULTILINE)
            rows[section.splitlines()[0]] = dict(found[1:])  # the first is the table's head
        keys = self.folder / "keys"
        keys.mkdir(mode=0o700)
        client = self.folder / "client"
        for command in (("keygen", keys / "server"), ("keygen", client),
                        ("authorize", "client", f"{client}.pub", "--keys", keys)):
            subprocess.run([harness.KWSCTL, *command], check=True)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.start_null(f"ipc.keys={keys}", f"ipc.remote_events=tcp://127.0.0.1:{port}")
        _, ask = self.connect(zmq.REQ)

        def call(method, **params):
            return ask(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))

        self.assertEqual(set(rows["Methods"]), {*call("help")["result"], "help"})
        for method, row in rows["Methods"].items():
            refusal = call(method, no=1)["error"]["message"]
            self.assertEqual(re.findall(r"`(\w+)`\??:", row), re.findall(r"'(\w+)'", refusal)[1:], method)
        status = call("status")["result"]
        of_model = {name for name in rows["Status"] if name.startswith("network.models.")}
        self.assertEqual(set(rows["Status"]) - of_model - {"remote"}, leaves(status))
        self.assertEqual(set(status["network"]["models"][0]),
                         set(status["network"]) - {"warm", "gaps", "models"} | {name.split(".")[-1] for name in of_model})
        metrics = re.findall("^# TYPE (.*) (.*)$", call("metrics")["result"], re.MULTILINE)
        self.assertEqual({name: row.split()[0] for name, row in rows["Metrics"].items()}, dict(metrics))
        own = (harness.ROOT / "common/error.h").read_text(encoding="utf-8")
        standard = (harness.ROOT / "ipc/rpc.h").read_text(encoding="utf-8")
        self.assertEqual(  # without those that become codes of the standard
            {int(code) for code in rows["Errors"]},
            {-32000 + int(code) for code in re.findall(r"XX\(E(?!INVAL|NOMEM)\w+, (-\d+)", own)} |
            {int(code) for code in re.findall(r"= (-32[67]\d\d)", standard)})

    def test_a_parameter_that_is_not_known_is_not_ignored(self):
        daemon = self.start_null()
        _, ask = self.connect(zmq.REQ)
        values = {"detector.threshold": "0.85"}
        for method, params, sentence in (
                ("mute", {"seconds": 1}, "mute: there is no parameter 'seconds', only 'for_s'"),
                ("mute", {"for_s": "1"}, "mute: 'for_s' must be a number"),
                ("mute", {"for_s": None}, "mute: 'for_s' must be a number"),
                ("unmute", {"for_s": 1}, "unmute: there is no parameter 'for_s', nor any other"),
                ("get", {"keys": ["ipc.site"]}, "get: there is no parameter 'keys', only 'key'"),
                ("get", {"key": ["ipc.site"]}, "get: 'key' must be a string"),
                ("set", {"values": values, "persist": "yes"}, "set: 'persist' must be a boolean"),
                ("set", {"values": values, "persist": 1}, "set: 'persist' must be a boolean"),
                ("set", {"values": values, "Persist": True},
                 "set: there is no parameter 'Persist', only 'values', 'persist'"),
                ("set", {"values": "detector.threshold"}, "set: 'values' must be an object"),
                ("set", {"values": {}}, 'set: \'values\' must be {"section.key": value, ...}'),
                ("set", {"persist": False}, 'set: \'values\' must be {"section.key": value, ...}'),
                ("set", {"values": dict(values, **{"exits.delta": [0.5]})},
                 "set: 'exits.delta' must be a string, a number or a boolean"),
                ("load-model", {"model": 1}, "load-model: 'model' must be a string or an array of strings"),
                ("load-model", {"name": "wake"},
                 "load-model: there is no parameter 'name', only 'model', 'persist'")):
            with self.subTest(method=method, params=params):
                answer = ask(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
                self.assertEqual(answer.get("error"), {"code": -32602, "message": sentence})
        self.assertFalse(daemon.status()["mute"]["on"])
        self.assertEqual(daemon.get("detector.threshold"), harness.THRESHOLD)
        self.assertEqual(ask('{"jsonrpc": "2.0", "id": 1, "method": "mute"}'),
                         {"jsonrpc": "2.0", "id": 1, "result": None})

    def test_a_setting_may_be_a_number_or_a_boolean(self):
        self.write_config("[detector]", "threshold = 0.5 ; my room")
        daemon = self.start_bare("--config", str(self.config),
                                 *harness.options("audio.source=null", f"model.path={harness.MODEL}"))
        self.wait_until_ready(daemon)
        _, ask = self.connect(zmq.REQ)
        for key, value, text in (
                ("detector.threshold", 0.85, "0.85"), ("detector.threshold", 1, "1"),
                ("detector.refractory_ms", 1500.0, "1500"), ("ipc.scores", True, "yes"),
                ("ipc.scores", False, "no"), ("ipc.site", -7, "-7")):
            with self.subTest(key=key, value=value):
                answer = ask(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "set",
                                         "params": {"values": {key: value}, "persist": True}}))
                self.assertEqual(answer, {"jsonrpc": "2.0", "id": 1, "result": None})
                self.assertEqual(daemon.get(key), text)
        self.assertIn("threshold = 1 ; my room\n", self.config.read_text())

    def test_second_instance(self):
        first = self.start_null()
        second = self.start("audio.source=null")
        self.assertEqual(second.wait(), 3)
        self.assertIn(f"another kwsd (process {first.process.pid}) already runs", second.log())
        self.assertEqual(first.status()["pid"], first.process.pid)
        self.assertEqual(first.stop(), 0)

    def test_a_port_that_is_taken_is_no_second_instance(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            daemon = self.start("audio.source=null",
                                f"ipc.events=tcp://127.0.0.1:{taken.getsockname()[1]}")
            self.assertEqual(daemon.wait(), 1)
            self.assertIn("cannot bind tcp://127.0.0.1", daemon.log())

    def test_a_text_in_another_encoding_does_not_hide_the_status(self):
        path = os.fsdecode(os.fsencode(self.folder) + b"/h\xe9l\xe8ne.conf")
        pathlib.Path(path).write_text("[audio]\nsource = null\n")
        daemon = self.start_bare("--config", path, *harness.options(f"model.path={harness.MODEL}"))
        status = harness.wait_for(lambda: daemon.kwsctl("status", "--json").stdout, "a status")
        self.assertTrue(json.loads(status)["config"]["path"].endswith("/h?l?ne.conf"))
        self.assertEqual(daemon.kwsctl("metrics").returncode, 0)
        self.assertEqual(daemon.stop(), 0)

    def test_ends_on_a_signal_and_cannot_be_reached_then(self):
        for signum in (signal.SIGTERM, signal.SIGINT):
            daemon = self.start_null()
            self.assertEqual(daemon.stop(signum), 0)
            asked = daemon.kwsctl("status")
            self.assertEqual(asked.returncode, 3)
            self.assertIn("is the daemon running?", asked.stderr)

    def test_starts_after_one_that_was_killed(self):
        self.assertEqual(self.start_null().stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertEqual(self.start_null().stop(), 0)

    def test_end_of_input(self):
        daemon = self.start("audio.source=stdin", "audio.rate_hz=16000", "audio.channels=1",
                            stdin=subprocess.PIPE)
        daemon.feed(harness.silence(2))
        daemon.process.stdin.close()
        self.assertEqual(daemon.wait(), 0)

    @unittest.skipIf(harness.UNDER_VALGRIND, "valgrind opens closed streams")
    def test_closed_streams_are_not_taken_for_its_own_files(self):
        """libuv asserts that no descriptor that it closes is a standard stream."""
        for stream in ("<", ">", "2>"):
            with self.subTest(stream):
                daemon = self.start("audio.source=null", through=harness.closing(stream))
                self.wait_until_ready(daemon)
                self.assertEqual(daemon.stop(), 0)
        daemon = self.start("audio.source=stdin", "audio.rate_hz=16000", "audio.channels=1",
                            through=harness.closing("<"))
        self.assertEqual(daemon.wait(), 0)
        self.assertIn("end of input", daemon.log())

    @unittest.skipIf(harness.UNDER_VALGRIND, "valgrind opens closed streams")
    def test_a_closed_output_is_no_success(self):
        daemon = self.start_null()
        settings = harness.options("audio.source=null", f"model.path={harness.MODEL}")
        for program, command in (("kwsd", (harness.KWSD, "--version")),
                                 ("kwsd", (harness.KWSD, "--check-config", *settings)),
                                 ("kwsctl", (harness.KWSCTL, "status")),
                                 ("kwsctl", (harness.KWSCTL, "keygen", self.folder / "client"))):
            with self.subTest(command):
                done = subprocess.run([*harness.closing(">"), *command], env=daemon.env, text=True,
                                      stderr=subprocess.PIPE, check=False, timeout=harness.TIMEOUT_S)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr.splitlines()[-1], f"^{program}: .*cannot write the output$")

    def test_settings_that_are_wrong(self):
        self.write_config("[audio]", "source = gramophone")
        missing = str(self.folder / "missing")
        for arguments, sentence in (
                (("--config", str(self.config)), f"{self.config}:2: [audio].source"),
                (("--config", missing), missing),
                (("--set", "detector.threshold=7"), "threshold"),
                (("--set", "nonsense"), "nonsense"),
                (("--check-config", "--config", str(self.config)), f"{self.config}:2: "),
                (("--log-level", "loud"), "must be error, warning, info or debug"),
                (("--nonsense",), "nonsense"),
                (("argument",), "argument")):
            with self.subTest(arguments):
                daemon = self.start_bare(*arguments)
                self.assertEqual(daemon.wait(), 2)
                self.assertIn(sentence, daemon.log())

    def test_the_command_line_sets_the_log_level(self):
        daemon = self.start("audio.source=null", arguments=("--log-level", "debug"))
        self.wait_until_ready(daemon)
        self.assertEqual(daemon.get("log.level"), "debug")
        self.assertIn("debug: events on", daemon.log())

    def test_input_that_cannot_be_had(self):
        wav = self.folder / "missing.wav"
        model = self.folder / "missing.safetensors"
        for settings, sentence, status in (
                (("audio.source=file", f"audio.path={wav}"), str(wav), 2),
                (("audio.source=stdin",), "rate_hz", 2),
                (("audio.source=null", f"model.path={model}"), str(model), 2),
                (("audio.source=null", "exits.delta=0.5,0.4"), "[exits].delta", 2),
                (("audio.source=null", "keyword horse.threshold=0.5"), "horse", 2),
                (("audio.source=null", "ipc.control=tcp://0.0.0.0:5555"), "tcp://0.0.0.0:5555", 2),
                (("audio.source=null", f"ipc.events=ipc://{self.folder}/run/control"),
                 "[ipc].events and [ipc].control cannot both listen on", 2),
                (("audio.source=null", f"ipc.events=ipc://{self.folder}/run/./control"),
                 "somebody listens there", 1),
                (("audio.source=null", f"ipc.events=ipc://{wav}/events"), "events", 1),
                # a folder that comes later makes this no reason to stay down
                (("audio.source=null", f"ipc.events=ipc://{wav}/events", "clips.folder=/missing"), "events", 1)):
            with self.subTest(settings):
                daemon = self.start(*settings)
                self.assertEqual(daemon.wait(), status)
                self.assertIn(sentence, daemon.log())

    def test_a_reader_of_the_log_that_ends_is_no_reason_to_end(self):
        env = dict(os.environ, KWSD_RUNTIME_DIR=str(self.folder / "run"))
        kwsd = subprocess.Popen([harness.KWSD, *harness.options("audio.source=null", f"model.path={harness.MODEL}")],
                                env=env, stderr=subprocess.PIPE)
        self.addCleanup(kwsd.kill)

        def ask(*arguments):
            return subprocess.run([harness.KWSCTL, *arguments], env=env, check=False, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL).returncode
        harness.wait_for(lambda: ask("status") == 0, "an answer")
        kwsd.stderr.close()
        self.assertEqual(ask("mute"), 0)
        self.assertEqual(ask("unmute"), 0)
        kwsd.terminate()
        self.assertEqual(kwsd.wait(harness.TIMEOUT_S), 0)

    def test_what_needs_a_restart_is_not_set_for_nothing(self):
        daemon = self.start_null()
        refused = daemon.kwsctl("set", "ipc.events", f"ipc://{self.folder}/other")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("ipc.events comes about with a restart of kwsd only", refused.stderr)
        self.assertEqual(daemon.get("ipc.events"), "")

    def test_check_config_looks_at_the_files(self):
        missing, pipe = str(self.folder / "missing"), str(self.folder / "pipe")
        os.mkfifo(pipe)  # who opens it to read waits for a writer
        for settings, sentence in (
                (("audio.source=file", f"audio.path={pipe}"), "not a regular file; for a pipe"),
                (("audio.source=file", f"audio.path={missing}"), missing),
                (("audio.source=null", f"model.path={missing}"), missing),
                (("audio.source=null", f"model.path={self.config}"), str(self.config)),
                (("audio.source=null", f"clips.folder={missing}"), missing),
                (("audio.source=null", "keyword horse.threshold=0.5"), "horse"),
                (("audio.source=null", "ipc.control=tcp://0.0.0.0:5555"), "tcp://0.0.0.0:5555"),
                (("audio.source=null", f"ipc.events=ipc://{self.config}"), "a file that is no socket lies there"),
                (("audio.source=null", f"ipc.control=ipc://{self.folder}/run/muted"), "keeps another file there"),
                (("audio.source=null", f"ipc.metrics_path={self.config}"), f"cannot write {self.config}: what lies"),
                (("audio.source=null", "ipc.events=garbage"), "garbage"),
                (("audio.source=null", "ipc.events=inproc://events"), "ipc:// or tcp://"),
                (("audio.source=null", f"ipc.events=ipc://{self.folder}/run/control"),
                 "[ipc].events and [ipc].control cannot both listen on"),
                (("audio.source=null", "ipc.events=tcp://127.0.0.1:7600",
                  "ipc.control=tcp://localhost:7600"), "cannot both listen on")):
            with self.subTest(settings):
                self.write_config("[log]", "level = debug")
                daemon = self.start(*settings, arguments=("--check-config",))
                self.assertEqual(daemon.wait(), 2)
                self.assertIn(sentence, daemon.log())

    def test_a_full_disk_is_no_success_of_kwsd(self):
        check = ("--check-config", *harness.options("audio.source=null", f"model.path={harness.MODEL}"))
        for arguments in (("--help",), ("--version",), ("--print-config",), check):
            with self.subTest(arguments), open("/dev/full", "w", encoding="utf-8") as full:
                command = [harness.KWSD, *arguments]
                subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr.splitlines()[-1]),
                                 (1, "kwsd: error: cannot write the output"))

    def test_priorities_are_for_the_journal_only(self):
        """$JOURNAL_STREAM is inherited by what has another stderr."""
        log = self.folder / "log"
        with log.open("wb") as file:
            status = os.fstat(file.fileno())
            for stream, before in (
                    (None, "kwsd: error: "), ("", "kwsd: error: "), (f"{status.st_dev}", "kwsd: error: "),
                    (f"{status.st_dev}:{status.st_ino + 1}", "kwsd: error: "),
                    (f"{status.st_dev + 1}:{status.st_ino}", "kwsd: error: "),
                    (f"{status.st_dev}:{status.st_ino}", "<3>")):
                with self.subTest(stream):
                    env = {key: value for key, value in os.environ.items() if key != "JOURNAL_STREAM"}
                    if stream is not None:
                        env["JOURNAL_STREAM"] = stream
                    file.truncate(0)
                    file.seek(0)
                    subprocess.run([harness.KWSD, "--set", "nonsense"], env=env, stderr=file, check=False)
                    self.assertTrue(log.read_text(encoding="utf-8").startswith(before), log.read_text())

    def test_print_config_is_a_good_configuration(self):
        printed = subprocess.run([harness.KWSD, "--print-config"], stdout=subprocess.PIPE,
                                 check=True, text=True).stdout
        self.write_config(printed)
        subprocess.run([harness.KWSD, "--check-config", "--config", self.config,
                        *harness.options(f"model.path={harness.MODEL}")], check=True,
                       stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    harness.main()
