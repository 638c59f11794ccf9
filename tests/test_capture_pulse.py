#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Capture through the real PortAudio: levels, loss of the device and its return.

usage: test_capture_pulse.py CAPTURE_PROBE
"""

import math
import os
import queue
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import unittest
import wave

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import private_pulse  # noqa: E402 (found through the line above)

TIMEOUT_S = 20
TONE_PEAK = 12000


def write_tone(path, seconds):
    rate = 48000
    samples = [int(TONE_PEAK * math.sin(2 * math.pi * 440 * i / rate))
               for i in range(int(seconds * rate))]
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))


class Probe:
    """The running capture-probe and the lines it prints."""

    def __init__(self, pulse, device, stall_ms=1000):
        self.process = subprocess.Popen([PROBE, device, str(stall_ms)], env=pulse.env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def expect(self, pattern, timeout_s=TIMEOUT_S):
        """The first line from here on that matches `pattern`."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                line = self.lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line {pattern!r} after:\n" +
                                     "\n".join(self.seen[-20:])) from None
            self.seen.append(line)
            match = re.fullmatch(pattern, line)
            if match:
                return match

    def close(self):
        """Ends the probe in good order and returns what it wrote to stderr."""
        self.process.stdin.close()
        try:
            self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        with self.process.stdout, self.process.stderr as stderr:
            return stderr.read()


class CaptureTest(unittest.TestCase):
    def setUp(self):
        self.pulse = private_pulse.PrivatePulse()
        self.pulse.start()
        self.addCleanup(self.pulse.stop)

    def start(self, device, **options):
        probe = Probe(self.pulse, device, **options)
        self.addCleanup(lambda: probe.process.poll() is None and probe.close())
        return probe

    def test_hears_what_is_played(self):
        tone = os.path.join(self.pulse.env["HOME"], "tone.wav")
        write_tone(tone, 0.5)
        probe = self.start("")
        opened = probe.expect(r"opened (\d+) (\d+) default")
        self.assertEqual(opened.group(2), "2")
        probe.expect("level 0")
        self.pulse.play(tone)
        # Through the resamplers of PulseAudio the peak is not exact.
        level = probe.expect(r"level (1[12]\d\d\d)")
        self.assertLess(abs(int(level.group(1)) - TONE_PEAK), 600)
        self.assertEqual(probe.close(), "")
        probe.expect(r"device ALSA: default \(default\)")
        probe.expect("closed")

    def test_device_by_part_of_its_name(self):
        probe = self.start("alsa: PUL")
        probe.expect(r"opened \d+ 2 pulse")
        self.assertEqual(probe.close(), "")

    def test_unknown_device_names_the_known_ones_and_retries(self):
        probe = self.start("no such thing")
        sentence = "no input device matches 'no such thing'; input devices: 'pulse', 'default'"
        for retry_ms in (50, 100, 200, 200):
            probe.expect(f"failed {retry_ms} {sentence}")
        self.assertEqual(probe.close(), "")

    def test_tries_in_vain_cost_no_memory(self):
        """12 KiB each, where every try loads ALSA's a52 anew: a growth of 370 KiB here."""
        with open(self.pulse.env["ALSA_CONFIG_PATH"], "a", encoding="utf-8") as file:
            file.write("pcm.a52 { type a52 }\n")
        probe = self.start("no such thing")
        self.expect_failures(probe, 10)
        before_kib = rss_kib(probe.process.pid)
        self.expect_failures(probe, 30)
        self.assertLess(rss_kib(probe.process.pid) - before_kib, 150)
        self.assertEqual(probe.close(), "")

    @staticmethod
    def expect_failures(probe, count):
        for _ in range(count):
            probe.expect(r"failed \d+ no input device matches .*")

    def test_lost_device_comes_back(self):
        probe = self.start("")
        probe.expect(r"opened .*")
        probe.expect("level 0")
        self.pulse.kill()
        probe.expect(r"lost \d+ \S.*")
        probe.expect(r"failed \d+ there is no default input device; input devices: none|"
                     r"failed \d+ cannot open .*")
        self.pulse.restart()
        probe.expect(r"opened .*")
        probe.expect("level 0")
        probe.close()
        probe.expect("closed")

    def test_silent_device_is_lost(self):
        """A device that just stops calling back, which is what ALSA may make of an unplug."""
        probe = self.start("", stall_ms=400)
        probe.expect("level 0")
        self.pulse.pause()
        self.addCleanup(self.pulse.resume)
        probe.expect(r"lost \d+ no audio for 400 ms")
        self.pulse.resume()
        probe.expect(r"opened .*")
        probe.expect("level 0")
        probe.close()
        probe.expect("closed")


if __name__ == "__main__":
    if not private_pulse.available():
        print("pulseaudio, pactl or paplay is not installed")
        sys.exit(77)
    PROBE = os.path.abspath(sys.argv.pop(1))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
