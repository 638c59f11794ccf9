#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A PulseAudio server for tests: no sound card, no contact with the user's own server.

It has one null sink. What play() sends to the sink is what a program that runs with `env` records
from its default ALSA device, because that device is the sink's monitor.

As a program it runs one command beside such a server:  private_pulse.py COMMAND [ARGUMENT...]
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SINK = "kws"
START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 5

# The whole ALSA configuration: with ALSA_CONFIG_PATH nothing of the machine's own is read.
ALSA_CONFIG = """\
pcm.pulse {{ type pulse server "{server}" device "{sink}.monitor" }}
ctl.pulse {{ type pulse server "{server}" }}
pcm.default {{ type pulse server "{server}" device "{sink}.monitor" }}
ctl.default {{ type pulse server "{server}" }}
"""


def available():
    """True if the programs that a PrivatePulse starts are installed."""
    return all(shutil.which(name) for name in ("pulseaudio", "pactl", "paplay"))


class PrivatePulse:
    """with PrivatePulse() as pulse: subprocess.run([...], env=pulse.env)

    The folder and `env` live as long as the object is started; kill() and restart() in between
    stand for a device that is unplugged and plugged in again.
    """

    def __init__(self, rate_hz=48000):
        self.rate_hz = rate_hz
        self.env = None
        self._folder = None
        self._server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        # Not $TMPDIR: a socket's path may have at most 107 bytes.
        self._folder = tempfile.mkdtemp(prefix="kws-pulse-", dir="/tmp")
        try:
            self._write_env()
            self.restart()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Ends the server and removes its folder. Safe to call at any time, also twice."""
        self.kill(signal.SIGTERM)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self, signum=signal.SIGKILL):
        """Ends the server as if the sound card was unplugged; `env` stays valid for restart()."""
        if self._server is None:
            return
        self._server.send_signal(signum)
        self._server.send_signal(signal.SIGCONT)  # or a paused server would not see it
        try:
            self._server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def pause(self):
        """Stops the server where it stands: its clients see neither data nor an error."""
        self._server.send_signal(signal.SIGSTOP)

    def resume(self):
        self._server.send_signal(signal.SIGCONT)

    def restart(self):
        """Starts the server again after kill(), in the same place; returns when it answers."""
        self._remove(self._path("native"))
        # norewinds: else the sink works in steps of 2 s, and its monitor is silent for so long when
        # recording begins, like a device that is lost.
        command = [
            "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
            "--disable-shm=yes", "--log-target=file:" + self._path("log"),
            "-L", f"module-native-protocol-unix socket={self._path('native')} auth-anonymous=1",
            "-L", f"module-null-sink sink_name={SINK} rate={self.rate_hz} channels=2"
            " norewinds=1",
        ]
        if shutil.which("setpriv"):
            # A test that is killed cannot call stop(): the kernel ends the server with it.
            command = ["setpriv", "--pdeathsig", "TERM"] + command
        self._server = subprocess.Popen(command, env=self.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_ready()

    def play(self, wav_path):
        """Plays a sound file to the sink at its own speed; returns when it has been played."""
        subprocess.run(["paplay", f"--device={SINK}", str(wav_path)], env=self.env, check=True,
                       stdin=subprocess.DEVNULL)

    def _path(self, name):
        return os.path.join(self._folder, name)

    @staticmethod
    def _remove(path):
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def _write_env(self):
        server = "unix:" + self._path("native")
        with open(self._path("asound.conf"), "w", encoding="utf-8") as file:
            file.write(ALSA_CONFIG.format(server=server, sink=SINK))
        # A JACK server or a D-Bus session of the user would be found through these.
        dropped = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "PULSE_SINK",
                   "PULSE_SOURCE", "PULSE_COOKIE", "PULSE_CONFIG_PATH", "JACK_DEFAULT_SERVER")
        self.env = {key: value for key, value in os.environ.items() if key not in dropped}
        self.env.update({
            "HOME": self._folder,
            "XDG_CONFIG_HOME": self._folder,
            "XDG_RUNTIME_DIR": self._folder,
            "PULSE_RUNTIME_PATH": self._path("pulse"),
            "PULSE_SERVER": server,
            "ALSA_CONFIG_PATH": self._path("asound.conf"),
            "JACK_NO_START_SERVER": "1",
        })

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                break
            answer = subprocess.run(["pactl", "list", "short", "sources"], env=self.env, text=True,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, check=False)
            if f"{SINK}.monitor" in answer.stdout:
                return
            time.sleep(0.05)
        raise RuntimeError("pulseaudio did not start:\n" + self._log())

    def _log(self):
        try:
            with open(self._path("log"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return "(no log)"


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: private_pulse.py COMMAND [ARGUMENT...]")
    if not available():
        print("pulseaudio, pactl or paplay is not installed", file=sys.stderr)
        sys.exit(77)
    # Let the end by a signal pass through __exit__.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with PrivatePulse() as pulse:
        sys.exit(subprocess.run(sys.argv[1:], env=pulse.env, check=False).returncode)


if __name__ == "__main__":
    main()
