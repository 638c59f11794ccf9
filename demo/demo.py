#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kwsd at work without a microphone: speech that espeak-ng makes is played into a private
PulseAudio, kwsd captures it from there, and every detection is shown beside what was spoken. Then
the threshold is raised and lowered in the configuration file of the running daemon.

usage: demo.py [--mic]      --mic: listen to the default microphone until Ctrl-C

Exit status: 0 all went as it should, 1 it did not, 2 wrong usage or something is missing.
"""

import argparse
import contextlib
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import private_pulse  # noqa: E402 (found through the line above)

KWSD = ROOT / "build/daemon/kwsd"
KWSCTL = ROOT / "build/cli/kwsctl"
MODEL = ROOT / "models/commands.safetensors"

KEYWORDS = ("yes", "no", "up", "down", "left", "right", "go", "stop")
OTHER_WORDS = ("morning", "computer", "banana", "seven", "window")
FALSE_MAX = 1  # in all other words
# The arguments of espeak-ng. No voice says every word so that it is understood, so a keyword that
# was missed is said again in the next one.
VOICES = (
    ("en-us+f2", 140, 50),
    ("en-us-nyc+m1", 130, 40),
    ("en-us+m3", 130, 50),
)
THRESHOLD = 0.8
THRESHOLD_THAT_BLOCKS = 1  # the score is a mean of probabilities
WORDS_PER_THRESHOLD = 3

START_TIMEOUT_S = 15
ANSWER_TIMEOUT_S = 5
# From the end of a word to that of its detection, at most: the window of a second must hold it,
# the score is a mean, and the sound card has its buffers.
LISTEN_S = 1.1


class DemoError(Exception):
    """What hinders the demonstration, as a sentence."""


class Daemon:
    """kwsd in its own folder, and `kwsctl monitor --json` as its subscriber."""

    def __init__(self, folder, env):
        self.config = folder / "kwsd.conf"
        self.log = folder / "kwsd.log"
        self.env = dict(env, KWSD_RUNTIME_DIR=str(folder / "run"))
        self.detections = queue.Queue()
        self._processes = []

    def start(self):
        self.write_config(THRESHOLD)
        with open(self.log, "w", encoding="utf-8") as log:
            self._start(KWSD, "--config", str(self.config), stderr=log)
        self.wait_until("the daemon did not start to listen", START_TIMEOUT_S,
                        lambda: self.status().get("network", {}).get("warm"))

    def subscribe(self):
        monitor = self._start(KWSCTL, "monitor", "--json", stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._read_events, args=(monitor.stdout,), daemon=True).start()

    def monitor(self):
        """Shows kwsctl's own lines until it ends."""
        self._start(KWSCTL, "monitor").wait()

    def stop(self):
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(ANSWER_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def write_config(self, threshold):
        """As an editor does it: a new file takes the old one's name."""
        draft = self.config.with_suffix(".new")
        draft.write_text(f"[model]\npath = {MODEL}\n\n[detector]\nthreshold = {threshold}\n",
                         encoding="utf-8")
        draft.rename(self.config)

    def status(self):
        return json.loads(self._kwsctl("status", "--json") or "{}")

    def threshold(self):
        return float(self._kwsctl("get", "detector.threshold") or "nan")

    def wait_until(self, sentence, timeout_s, condition):
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self._processes[0].poll() is not None or time.monotonic() > deadline:
                raise DemoError(f"{sentence}; its log:\n{self.log.read_text(encoding='utf-8')}")
            time.sleep(0.1)

    def _start(self, *command, **options):
        process = subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL, **options)
        self._processes.append(process)
        return process

    def _kwsctl(self, *arguments):
        answer = subprocess.run([KWSCTL, *arguments], env=self.env, text=True, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return answer.stdout

    def _read_events(self, lines):
        for line in lines:
            event = json.loads(line)
            if event["topic"].startswith("kws.detection."):
                self.detections.put(event)


class Speaker:
    """Says words into the private PulseAudio and shows what the daemon heard."""

    def __init__(self, folder, pulse, daemon):
        self._wav = folder / "word.wav"
        self._pulse = pulse
        self._daemon = daemon

    def say(self, word, voice):
        """Returns the names that were heard."""
        name, speed, pitch = voice
        print(f"  {word:<10}{name:<14}", end="", flush=True)
        subprocess.run(["espeak-ng", "-v", name, "-s", str(speed), "-p", str(pitch),
                        "-w", self._wav, word], check=True)
        self._pulse.play(self._wav)
        heard = []
        deadline = time.monotonic() + LISTEN_S
        with contextlib.suppress(queue.Empty):
            while True:
                left = max(0, deadline - time.monotonic())
                event = self._daemon.detections.get(timeout=left)
                self._show(event, indent=26 if heard else 0)
                heard.append(event["name"])
        if not heard:
            print("-")
        return heard

    @staticmethod
    def _show(event, indent):
        print(f"{'':{indent}}{event['name']:<10}{event['score']:5.2f}"
              f"{event['exit']:>6}/{event['exits']}{event['entropy']:>9.3f}"
              f"{event['latency_ms']:>7.0f} ms", flush=True)

    def say_until_heard(self, word, voices):
        """Returns the voice in which the word was heard or None, and how many false detections
        there were."""
        false = 0
        for voice in voices:
            heard = self.say(word, voice)
            false += sum(name != word for name in heard)
            if word in heard:
                return voice, false
        return None, false


def print_header(title):
    print(f"\n{title}\n\n  {'spoken':<10}{'voice':<14}{'heard':<10}{'score':>5}{'exit':>8}"
          f"{'entropy':>9}{'latency':>10}")


def change_threshold(daemon, threshold):
    daemon.write_config(threshold)
    daemon.wait_until("the daemon did not take the new threshold over", ANSWER_TIMEOUT_S,
                      lambda: daemon.threshold() == threshold)


def demonstrate(speaker, daemon):
    """Yields one row of the summary after the other: what, spoken, heard, false, as it should."""
    print_header("Keywords, in another voice if missed:")
    voices = {}
    false = 0
    for word in KEYWORDS:
        voice, wrong = speaker.say_until_heard(word, VOICES)
        false += wrong
        if voice is not None:
            voices[word] = voice
    yield "keywords", len(KEYWORDS), len(voices), false, len(voices) == len(KEYWORDS)

    print_header("Other words:")
    false = sum(len(speaker.say(word, VOICES[0])) for word in OTHER_WORDS)
    yield "other words", len(OTHER_WORDS), 0, false, false <= FALSE_MAX

    words = list(voices)[:WORDS_PER_THRESHOLD]
    change_threshold(daemon, THRESHOLD_THAT_BLOCKS)
    print_header(f"The threshold in the file is now {THRESHOLD_THAT_BLOCKS}:")
    heard = sum(len(speaker.say(word, voices[word])) for word in words)
    yield f"threshold {THRESHOLD_THAT_BLOCKS}", len(words), heard, 0, heard == 0

    change_threshold(daemon, THRESHOLD)
    print_header(f"It is {THRESHOLD} again:")
    results = [speaker.say_until_heard(word, [voices[word], *VOICES]) for word in words]
    heard = sum(voice is not None for voice, _ in results)
    yield (f"threshold {THRESHOLD}", len(words), heard, sum(wrong for _, wrong in results),
           heard == WORDS_PER_THRESHOLD)


def print_summary(rows):
    print(f"\n  {'':<16}{'spoken':>7}{'heard':>7}{'missed':>8}{'false':>7}")
    for what, spoken, heard, false, good in rows:
        keywords = what != "other words"
        print(f"  {what:<16}{spoken:>7}{heard if keywords else '-':>7}"
              f"{spoken - heard if keywords else '-':>8}{false:>7}"
              f"   {'as it should' if good else 'NOT AS IT SHOULD'}")


def run_with_speech(folder):
    with private_pulse.PrivatePulse() as pulse, contextlib.ExitStack() as stack:
        daemon = Daemon(folder, pulse.env)
        stack.callback(daemon.stop)
        daemon.start()
        daemon.subscribe()
        audio = daemon.status()["audio"]
        print(f"kwsd listens to '{audio['device']}' at {audio['rate_hz']} Hz, the monitor of a "
              "private PulseAudio")
        rows = list(demonstrate(Speaker(folder, pulse, daemon), daemon))
    print_summary(rows)
    return 0 if all(row[-1] for row in rows) else 1


def run_with_microphone(folder):
    with contextlib.ExitStack() as stack:
        daemon = Daemon(folder, os.environ)
        stack.callback(daemon.stop)
        daemon.start()
        print(f"kwsd listens to '{daemon.status()['audio']['device']}'. Say {', '.join(KEYWORDS)}; "
              "Ctrl-C ends.", flush=True)
        daemon.monitor()
    return 0


def check_parts(mic):
    for path in (KWSD, KWSCTL, MODEL):
        if not path.exists():
            raise DemoError(f"{path} is missing; ./dev demo builds the programs")
    if mic:
        return
    for tool in ("espeak-ng", "pulseaudio", "pactl", "paplay"):
        if shutil.which(tool) is None:
            raise DemoError(f"{tool} is not installed; ./dev deps installs it")


def main():
    parser = argparse.ArgumentParser(description="Shows kwsd at work on speech that it makes.")
    parser.add_argument("--mic", action="store_true", help="listen to the default microphone")
    mic = parser.parse_args().mic
    # Let the end by a signal pass through every clean-up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        check_parts(mic)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    # Not $TMPDIR: a socket's path may have at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="kws-demo-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        try:
            return run_with_microphone(folder) if mic else run_with_speech(folder)
        except DemoError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print()
            return 0 if mic else 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
