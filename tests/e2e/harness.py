# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: speech, a running kwsd, its subscribers.

The programs and the model come from the environment (meson sets it); by hand, those of build/.
A test file ends with harness.main(), which skips it (exit 77) where a tool is missing.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import wave

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True
import private_pulse  # noqa: E402 (found through the lines above)

try:
    import numpy
    import zmq
except ImportError as error:
    print(f"a Python package is missing: {error}")
    sys.exit(77)

KWSD = os.environ.get("KWS_TEST_KWSD", str(ROOT / "build/daemon/kwsd"))
KWSCTL = os.environ.get("KWS_TEST_KWSCTL", str(ROOT / "build/cli/kwsctl"))
KWS = os.environ.get("KWS_TEST_KWS", str(ROOT / "build/cli/kws"))
# Which opens standard streams that are closed before kwsd sees them.
UNDER_VALGRIND = "KWS_TEST_VALGRIND" in os.environ
MODEL = os.environ.get("KWS_TEST_MODEL", str(ROOT / "models/commands.safetensors"))

RATE_HZ = 16000
WINDOW_SAMPLES = 400 + 97 * 160  # 98 frames of 25 ms, one each 10 ms
HOP_SAMPLES = 4 * 160            # model.hop_frames' default
BLOCK_SAMPLES = 160              # the pipeline works on whole ones
TIMEOUT_S = 20

# A voice and words that the model knows with a margin, and a threshold far below their scores.
VOICE = ("en-us+f2", 140, 50)
WORDS = ("yes", "right", "stop")
THRESHOLD = "0.5"


def speech(*words):
    """The words with a pause after each: mono int16 samples at 16 kHz."""
    name, speed, pitch = VOICE
    pause = numpy.zeros(RATE_HZ * 6 // 5, numpy.int16)
    parts = []
    with tempfile.TemporaryDirectory(prefix="kws-speech-") as folder:
        path = os.path.join(folder, "word.wav")
        for word in words:
            subprocess.run(["espeak-ng", "-v", name, "-s", str(speed), "-p", str(pitch),
                            "-w", path, word], check=True)
            with wave.open(path) as file:
                rate_hz = file.getframerate()
                samples = numpy.frombuffer(file.readframes(file.getnframes()), numpy.int16)
            parts += [resample(samples, rate_hz, RATE_HZ), pause]
    return numpy.concatenate(parts)


def silence(seconds, rate_hz=RATE_HZ):
    return numpy.zeros(int(seconds * rate_hz), numpy.int16)


def resample(samples, from_hz, to_hz):
    """By linear interpolation: good enough, because all who hear it hear the same."""
    times = numpy.arange(len(samples) * to_hz // from_hz) * (from_hz / to_hz)
    return numpy.interp(times, numpy.arange(len(samples)), samples).astype(numpy.int16)


def write_wav(path, samples, rate_hz=RATE_HZ):
    """`samples`: one row for each frame if there is more than one channel."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())


def wait_for(condition, what, timeout_s=TIMEOUT_S):
    """The first true value that condition() gives."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout_s} s still not: {what}")
        time.sleep(0.05)


def closing(stream):
    """For `through`, and before a command: without one of its standard streams, "<", ">" or "2>"."""
    return ("sh", "-c", f'exec "$@" {stream}&-', "sh")


class Subscriber:
    """Gets the events of some topics; may be there before the daemon is."""

    def __init__(self, context, endpoint, *topics):
        self.socket = context.socket(zmq.SUB)
        for topic in topics:
            self.socket.subscribe(topic)
        self.socket.connect(endpoint)

    def receive(self, timeout_s):
        """(topic, event), or None."""
        if not self.socket.poll(max(0, timeout_s) * 1000):
            return None
        topic, text = self.socket.recv_multipart()
        return topic.decode(), json.loads(text)

    def until(self, condition, what, timeout_s=TIMEOUT_S):
        """What comes up to the first message for which condition(topic, event) holds, with it."""
        seen = []
        deadline = time.monotonic() + timeout_s
        while not seen or not condition(*seen[-1]):
            message = self.receive(deadline - time.monotonic())
            if message is None:
                raise AssertionError(f"after {timeout_s} s still no {what}; there were {seen[-5:]}")
            seen.append(message)
        return seen

    def until_state(self, state, timeout_s=TIMEOUT_S):
        return self.until(lambda topic, event: topic == "kws.state" and event["state"] == state,
                          f"state {state}", timeout_s)


class Daemon:
    """A running kwsd in its own runtime directory."""

    def __init__(self, folder, arguments, env, stdin, through=()):
        self.env = dict(env, KWSD_RUNTIME_DIR=str(folder / "run"))
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".log", delete=False) as log:
            self.log_path = pathlib.Path(log.name)
            self.process = subprocess.Popen([*through, KWSD, *arguments], env=self.env,
                                            stdin=stdin, stderr=log)

    def stop(self, signum=signal.SIGTERM):
        """Returns the exit status."""
        self.process.send_signal(signum)
        return self.wait()

    def wait(self):
        try:
            return self.process.wait(TIMEOUT_S)
        finally:
            self.process.kill()
            if self.process.stdin:
                self.process.stdin.close()
            self.process.wait()

    def feed(self, samples):
        """Frames for the source stdin."""
        self.process.stdin.write(samples.tobytes())
        self.process.stdin.flush()

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def kwsctl(self, *arguments):
        """The completed process of kwsctl."""
        return subprocess.run([KWSCTL, *arguments], env=self.env, text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)

    def get(self, key):
        """None if there is no answer."""
        answer = self.kwsctl("get", key)
        return answer.stdout.strip() if answer.returncode == 0 else None

    def status(self):
        """None if there is no answer."""
        answer = self.kwsctl("status", "--json")
        return json.loads(answer.stdout) if answer.returncode == 0 else None


class DaemonTest(unittest.TestCase):
    """A test with a folder of its own, a configuration file in it, and daemons that end with it."""

    def run(self, result=None):
        """As always, but a test that failed shows the daemons' logs."""
        self.logs = []
        result = super().run(result)
        if any(test is self for test, _ in result.failures + result.errors):
            print(f"{self.id()}: the logs of kwsd:\n", *self.logs, flush=True)
        return result

    def setUp(self):
        # Not $TMPDIR: a socket's path may have at most 107 bytes.
        folder = tempfile.TemporaryDirectory(prefix="kws-e2e-", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.config = self.folder / "kwsd.conf"
        self.context = zmq.Context()
        self.addCleanup(self.context.destroy, linger=0)

    def start(self, *settings, arguments=(), **how):
        """kwsd with "section.key=value" settings, from the start with our model and threshold."""
        defaults = (f"model.path={MODEL}", f"detector.threshold={THRESHOLD}")
        return self.start_bare(*options(*defaults, *settings), *arguments, **how)

    def start_bare(self, *arguments, env=None, stdin=subprocess.DEVNULL, through=()):
        """`through`: a command that becomes the one given to it."""
        daemon = Daemon(self.folder, arguments, env or os.environ, stdin, through)
        self.addCleanup(self.end, daemon)
        return daemon

    def end(self, daemon):
        """However a test left a daemon: it must end in good order when it is told to."""
        status = daemon.stop() if daemon.process.returncode is None else None
        self.logs.append(daemon.log())
        self.assertIn(status, (None, 0))

    def without_watches(self):
        """For `through`: nothing can be watched, as where others have used up inotify's limit."""
        through = ("unshare", "--user", "--map-root-user", "sh", "-c",
                   "echo 0 >/proc/sys/user/max_inotify_instances && "
                   f'exec unshare --user --map-user={os.getuid()} -- "$@"', "sh")
        if subprocess.run([*through, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("no user namespaces")
        return through

    def write_config(self, *lines):
        """As an editor does it: a new file takes the old one's name."""
        draft = self.folder / "draft"
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draft.rename(self.config)

    def subscribe(self, *topics):
        subscriber = Subscriber(self.context, f"ipc://{self.folder}/run/events", *topics)
        self.addCleanup(subscriber.socket.close)
        return subscriber

    def wait_until_ready(self, daemon):
        """Until the daemon answers; returns its status."""
        def answer():
            self.assertIsNone(daemon.process.poll(), daemon.log())
            return daemon.status()
        return wait_for(answer, "an answer of kwsd")

    def subscribe_surely(self, *topics):
        """A subscriber that is known to be connected, to a daemon with ipc.level_ms set."""
        subscriber = self.subscribe("kws.level", *topics)
        subscriber.until(lambda topic, _: topic == "kws.level", "kws.level")
        return subscriber


def memory_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def options(*settings):
    return [word for setting in settings for word in ("--set", setting)]


def detections(messages):
    return [event for topic, event in messages if topic.startswith("kws.detection.")]


def names(found):
    """What was heard of WORDS: how good the model is with others is not tested here."""
    return [event["name"] for event in found if event["name"] in WORDS]


def scores(messages):
    return [event for topic, event in messages if topic == "kws.score"]


# What depends on the clock, on the way the audio came, and on who counts.
VARYING = ("seq", "boot", "time", "monotonic_ns", "latency_ms", "topic", "file")


def constant_part(events):
    return [{key: value for key, value in event.items() if key not in VARYING}
            for event in events]


def main(pulse=False):
    if shutil.which("espeak-ng") is None:
        print("espeak-ng is not installed")
        sys.exit(77)
    if pulse and not private_pulse.available():
        print("pulseaudio, pactl or paplay is not installed")
        sys.exit(77)
    # Let the end by a signal pass through the clean-up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)
