#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Breaks what kwsd depends on, for real and one thing at a time, and measures how it copes.

Prints a table: when the daemon told of the fault, when it worked again after the cause was gone, how many events a
subscriber missed and what was detected although nobody spoke. A fault counts as survived when a word that is played
afterwards is heard, by the same process, no event was missed, nothing was detected that nobody said, and its memory
grew by no more than GROWTH_MAX_KIB. Exit status 1 if one was not survived.

  faults.py [NAME...]     all, or those named; --list names them
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness  # noqa: E402
import zmq  # noqa: E402
from harness import private_pulse  # noqa: E402

WORD = harness.WORDS[1]
PATIENCE_S = 30
GROWTH_MAX_KIB = 16 * 1024  # of the resident memory; measured: under 3 MiB
FLOOD_SOCKETS = 20
FLOOD_CALLS = 200           # of each
FAULTS = {}


class Skipped(Exception):
    """This machine cannot have the fault; the text says why."""


def fault(title):
    def register(function):
        FAULTS[function.__name__.replace("_", "-")] = (title, function)
        return function
    return register


class Rig:
    """A daemon that listens to a private PulseAudio, and a subscriber that has seen it listen."""

    def __init__(self, stack, *settings, pulse_runs=True):
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kws-faults-", dir="/tmp")))
        self.context = zmq.Context()
        stack.callback(self.context.destroy, linger=0)
        self.pulse = private_pulse.PrivatePulse()
        self.pulse.start()
        stack.callback(self.pulse.stop)
        if not pulse_runs:
            self.pulse.kill()
        self.wav = self.folder / "word.wav"
        harness.write_wav(self.wav, harness.speech(WORD))
        self.model = self.folder / "models" / "model.safetensors"
        self.model.parent.mkdir()
        shutil.copy(harness.MODEL, self.model)
        self.etc = self.folder / "etc"
        self.etc.mkdir()
        self.config = self.etc / "kwsd.conf"
        self.write_config(*settings)
        self.subscriber = self.subscribe("")
        self.daemon = harness.Daemon(self.folder, ("--config", str(self.config)), self.pulse.env, subprocess.DEVNULL)
        stack.callback(self.end)
        self.messages = []
        self.spoken = 0

    def write_config(self, *settings):
        """As an editor does it."""
        values = {"model.path": self.model, "detector.threshold": harness.THRESHOLD, "audio.stall_ms": "500",
                  "audio.zeros_ms": "0", "ipc.scores": "yes", "ipc.level_ms": "200"}
        values.update(setting.split("=", 1) for setting in settings)
        sections = {}
        for key, value in values.items():
            section, name = key.split(".")
            sections.setdefault(section, []).append(f"{name} = {value}")
        draft = self.etc / "draft"
        draft.write_text("\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in sections.items()) + "\n")
        draft.rename(self.config)

    def subscribe(self, topic):
        return harness.Subscriber(self.context, f"ipc://{self.folder}/run/events", topic)

    def end(self):
        if self.daemon.process.poll() is None:
            self.daemon.stop()

    def until(self, condition, what, timeout_s=PATIENCE_S):
        """Seconds until a message for which condition(topic, event) holds."""
        began = time.monotonic()
        while True:
            message = self.subscriber.receive(began + timeout_s - time.monotonic())
            if message is None:
                raise AssertionError(f"no {what} within {timeout_s} s; the log ends with: {self.daemon.log()[-600:]}")
            self.messages.append(message)
            if condition(*message):
                return time.monotonic() - began

    def until_state(self, *states):
        return self.until(lambda topic, event: topic == "kws.state" and event["state"] in states, " or ".join(states))

    def until_hop(self):
        return self.until(lambda topic, _: topic == "kws.score", "decision")

    def hear(self):
        """Plays the word; it must be detected."""
        self.pulse.play(self.wav)
        self.spoken += 1
        return self.until(lambda topic, _: topic == f"kws.detection.{WORD}", f"detection of '{WORD}'")

    def log_says(self, text):
        began = time.monotonic()
        harness.wait_for(lambda: text in self.daemon.log(), f"'{text}' in the log", PATIENCE_S)
        return time.monotonic() - began

    def lost(self):
        """Messages that the subscriber missed, by their numbers."""
        lost, last = 0, {}
        for topic, event in self.messages:
            lost += event["seq"] - last.get(topic, event["seq"] - 1) - 1
            last[topic] = event["seq"]
        return lost

    def false_detections(self):
        return sum(topic.startswith("kws.detection.") for topic, _ in self.messages) - self.spoken

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


@contextlib.contextmanager
def listening(*settings):
    with contextlib.ExitStack() as stack:
        rig = Rig(stack, *settings)
        rig.until_hop()
        rig.hear()
        yield rig


def finish(rig, detected_s, recovered_s, note="", grown_kib=0):
    """The word must be heard by the same process as before. Audio may be lost in a fault, events may not: they have
    numbers, and this subscriber reads."""
    rig.hear()
    if rig.daemon.process.poll() is not None:
        raise AssertionError("the daemon has ended")
    lost, false = rig.lost(), rig.false_detections()
    if lost != 0 or false != 0:
        raise AssertionError(f"{lost} events lost, {false} false detections")
    if grown_kib > GROWTH_MAX_KIB:
        raise AssertionError(f"the memory grew by {grown_kib} KiB")
    return {"detected": detected_s, "recovered": recovered_s, "lost": lost, "false": false, "note": note}


@fault("the sound server is killed and started again (a card that is unplugged)")
def server_killed():
    with listening() as rig:
        rig.pulse.kill()
        detected = rig.until_state("lost")
        time.sleep(2)
        rig.pulse.restart()
        return finish(rig, detected, rig.until_state("listening") + rig.until_hop())


@fault("the sound server hangs, then goes on")
def server_hangs():
    with listening() as rig:
        rig.pulse.pause()
        detected = rig.until_state("lost")
        time.sleep(2)
        rig.pulse.resume()
        return finish(rig, detected, rig.until_state("listening") + rig.until_hop())


@fault("no device when the daemon starts")
def no_device_at_start():
    with contextlib.ExitStack() as stack:
        rig = Rig(stack, pulse_runs=False)
        detected = rig.log_says("no audio")
        time.sleep(1)
        rig.pulse.restart()
        return finish(rig, detected, rig.until_hop())


@fault("nothing but zeros")
def zeros():
    with listening("audio.zeros_ms=1000") as rig:
        detected = rig.until_state("silent")  # a null sink to which nobody plays
        rig.pulse.play(rig.wav)
        rig.spoken += 1
        recovered = rig.until_state("listening")
        rig.until(lambda topic, _: topic == f"kws.detection.{WORD}", f"detection of '{WORD}'")
        return finish(rig, detected, recovered)


@fault("the daemon is stopped for longer than its buffer (overrun; a system that sleeps)")
def overrun():
    with listening("audio.buffer_ms=500") as rig:
        rig.daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        rig.daemon.process.send_signal(signal.SIGCONT)
        detected = rig.until_state("gap", "lost")
        return finish(rig, detected, rig.until_hop())


@fault("the clock jumps by a day and back")
def clock_jump():
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise Skipped("libfaketime is not installed")
    with contextlib.ExitStack() as stack:
        stamp = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "offset"
        stamp.write_text("+0")
        faked = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(stamp), "FAKETIME_NO_CACHE": "1",
                 "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        os.environ.update(faked)
        try:
            rig = Rig(stack)
        finally:
            for name in faked:
                del os.environ[name]
        rig.until_hop()
        rig.hear()
        stamp.write_text("+1d")
        time.sleep(1)
        rig.hear()
        jumped = rig.messages[-1][1]["time"]
        if jumped[:10] <= time.strftime("%Y-%m-%dT", time.gmtime())[:10]:
            raise AssertionError(f"the daemon did not see the jump: {jumped}")
        stamp.write_text("-1d")
        return finish(rig, 0.0, 0.0, "times in events follow the clock, nothing else does")


@fault("a subscriber that does not read")
def stalled_subscriber():
    with listening("model.hop_frames=1") as rig:
        stalled = rig.context.socket(zmq.SUB)
        stalled.setsockopt(zmq.RCVHWM, 1)
        stalled.setsockopt(zmq.RCVBUF, 4096)
        stalled.subscribe("")
        stalled.connect(f"ipc://{rig.folder}/run/events")
        before, read = rig.rss_kib(), len(rig.messages)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            rig.until_hop()
        grown, read = rig.rss_kib() - before, len(rig.messages) - read
        stalled.close()
        return finish(rig, None, 0.0, f"{read} events for each, memory +{grown} KiB", grown)


@fault("300 subscribers come and go")
def subscriber_flood():
    with listening() as rig:
        before = rig.rss_kib()
        for _ in range(3):
            crowd = [rig.subscribe("") for _ in range(100)]
            rig.until_hop()
            for one in crowd:
                one.socket.close()
            rig.until_hop()
        grown = rig.rss_kib() - before
        return finish(rig, None, 0.0, f"memory +{grown} KiB", grown)


@fault("no space for clips")
def disk_full():
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(tempfile.TemporaryDirectory(prefix="kws-disk-", dir="/tmp"))
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "none", disk], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            raise Skipped("mounting a small disk needs root")
        stack.callback(subprocess.run, ["umount", "-l", disk], check=False)
        rig = Rig(stack, "clips.preroll_ms=2000", f"clips.folder={disk}")
        rig.until_hop()
        rig.pulse.play(rig.wav)
        rig.spoken += 1
        detected = rig.until_state("fault")
        left = os.listdir(disk)
        if left:
            raise AssertionError(f"parts of clips are left: {left}")
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        result = finish(rig, detected, 0.0)
        harness.wait_for(lambda: rig.daemon.status()["clips"]["saved"] == 1, "a clip")
        return result


@fault("the folder of the configuration is replaced")
def config_folder_replaced():
    with listening() as rig:
        other = rig.folder / "etc.new"
        shutil.copytree(rig.etc, other)
        rig.etc.rename(rig.folder / "etc.old")
        other.rename(rig.etc)
        time.sleep(1)
        rig.write_config("ipc.site=the new folder")
        began = time.monotonic()
        harness.wait_for(lambda: rig.daemon.get("ipc.site") == "the new folder", "the new settings", PATIENCE_S)
        return finish(rig, None, time.monotonic() - began)


@fault("a configuration with errors, then a good one")
def config_broken():
    with listening() as rig:
        rig.write_config("detector.threshold=high")
        detected = rig.log_says("stays as it was")
        rig.write_config("ipc.site=mended")
        began = time.monotonic()
        harness.wait_for(lambda: rig.daemon.get("ipc.site") == "mended", "the mended settings", PATIENCE_S)
        return finish(rig, detected, time.monotonic() - began)


@fault("the model file is replaced by garbage")
def model_garbage():
    with listening() as rig:
        draft = rig.model.with_suffix(".draft")
        draft.write_bytes(os.urandom(100_000))
        draft.rename(rig.model)
        refused = rig.daemon.kwsctl("reload")
        if refused.returncode != 1:
            raise AssertionError("a garbage model was not refused")
        return finish(rig, 0.0, 0.0, "refused at the next reload")


@fault("the model file is cut short where it lies")
def model_truncated():
    with listening() as rig:
        os.truncate(rig.model, 4096)
        rig.until_hop()
        refused = rig.daemon.kwsctl("reload")
        if refused.returncode != 1:
            raise AssertionError("a cut model was not refused")
        return finish(rig, 0.0, 0.0, "refused at the next reload")


@fault("another model is loaded while it listens")
def model_swapped():
    with listening() as rig:
        shutil.copy(harness.MODEL, rig.model.parent / "other.safetensors")
        if rig.daemon.kwsctl("load-model", "other").returncode != 0:
            raise AssertionError("load-model failed")
        return finish(rig, None, rig.until_hop())


def receive_answers(socket):
    """One to each call, in their order; returns how many."""
    for call in range(FLOOD_CALLS):
        if not socket.poll(PATIENCE_S * 1000):
            raise AssertionError(f"after {call} answers no more within {PATIENCE_S} s")
        answer = json.loads(socket.recv())
        if answer["id"] != call or "result" not in answer:
            raise AssertionError(f"call {call} is answered by {answer}")
    return FLOOD_CALLS


@fault("control calls without an end, while it listens")
def control_flood():
    with listening() as rig:
        before = rig.rss_kib()
        sockets = [rig.context.socket(zmq.DEALER) for _ in range(FLOOD_SOCKETS)]
        for socket in sockets:
            socket.connect(f"ipc://{rig.folder}/run/control")
            for call in range(FLOOD_CALLS):
                socket.send_string(f'{{"jsonrpc": "2.0", "id": {call}, "method": "status"}}')
        rig.until_hop()
        answers = sum(receive_answers(socket) for socket in sockets)
        for socket in sockets:
            socket.close(linger=0)
        grown = rig.rss_kib() - before
        return finish(rig, None, 0.0, f"{answers} calls, all answered, memory +{grown} KiB", grown)


def seconds(value):
    return "-" if value is None else f"{value:.1f} s"


def main():
    names = sys.argv[1:] or list(FAULTS)
    if names == ["--list"]:
        print("\n".join(f"{name:24} {title}" for name, (title, _) in FAULTS.items()))
        return 0
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        print(f"faults.py: there is no fault '{unknown[0]}' (see --list)", file=sys.stderr)
        return 2
    if shutil.which("espeak-ng") is None or not private_pulse.available():
        print("faults.py: espeak-ng or pulseaudio is not installed", file=sys.stderr)
        return 77
    # Let the end by a signal pass through the clean-up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    failed = 0
    print("| fault | detected after | recovered after | events lost | false detections | |\n|---|---|---|---|---|---|")
    for name in names:
        title, function = FAULTS[name]
        try:
            result = function()
            cells = [seconds(result["detected"]), seconds(result["recovered"]), result["lost"], result["false"],
                     result["note"]]
        except Skipped as reason:
            cells = ["skipped", "", "", "", reason]
        except AssertionError as reason:
            failed += 1
            cells = ["**failed**", "", "", "", str(reason).replace("\n", " ")]
        print(f"| {title} | " + " | ".join(map(str, cells)) + " |", flush=True)
    print(f"\n{len(names) - failed} of {len(names)} survived or skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
