"""The C programs: what they say of a model, as Python objects. A failure ends with their own sentence."""
import json
import pathlib
import subprocess
import tempfile


def _output(command):
    try:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise SystemExit(f"{command[0]}: {error.strerror}")
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip() or f"{command[0]} failed")
    return done.stdout


class Engine:
    """`kws` and `bench`: paths of the programs kws and bench-networks, as far as they are needed."""

    def __init__(self, kws=None, bench=None):
        self.kws, self.bench = kws, bench

    def info(self, model):
        return json.loads(_output([self.kws, "info", "--json", model]))

    def classify(self, model, clips, *options):
        """One object per clip, in the order of `clips`: the policy's answer, and that of each exit."""
        with tempfile.NamedTemporaryFile("w", suffix=".list") as listing:
            listing.write("\n".join(map(str, clips)))
            listing.flush()
            lines = _output([self.kws, "classify", "--model", model, "--json", "--list", listing.name, *options])
        return [json.loads(line) for line in lines.splitlines()]

    def times_us(self, models, rounds):
        """(us of the front end for a frame, {model: [us of a whole window up to each exit]}) with the fastest kernels,
        best of the rounds. `models`: {name in the file: path}."""
        frame, windows = float("inf"), {}
        with tempfile.TemporaryDirectory() as folder:
            answer = pathlib.Path(folder) / "answer.json"
            for _ in range(rounds):
                _output([self.bench, "--json", answer, *models.values()])
                found = json.loads(answer.read_text())
                kernels = found["front_end"][0]["kernels"]
                frame = min(frame, found["front_end"][0]["us"])
                for row in found["networks"]:
                    if row["kernels"] == kernels:
                        key = row["network"], row["exit"]
                        windows[key] = min(windows.get(key, row["us"]), row["us"])
        missing = set(models) - {name for name, _ in windows}
        if missing:
            raise SystemExit(f"{self.bench} does not time {', '.join(sorted(missing))}")
        return frame, {name: [us for (other, _), us in sorted(windows.items()) if other == name] for name in models}
