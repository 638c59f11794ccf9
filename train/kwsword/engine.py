"""`kws scan` over streams that are put together here: the daemon's own pipeline finds, counts and judges."""
import dataclasses
import json
import pathlib
import subprocess

import numpy as np
import soundfile

from kwstrain.data import RATE
from kwstrain.features import LIBRARY

ROOT = pathlib.Path(__file__).parents[2]
KWS, FEATURES = ROOT / "build" / "cli" / "kws", LIBRARY
FLOOR = 10  # rms of the noise under a stream, of 32768: a quiet room is not digital silence
HIT_AFTER_S = 0.75  # a detection so long after the phrase's end is still one of it


def use(build):
    """Takes the programs and the front end of this build folder."""
    global KWS, FEATURES
    KWS, FEATURES = build / "cli" / "kws", build / "dsp" / "libkws_features.so"
    if not KWS.exists() or not FEATURES.exists():
        raise SystemExit(f"{build} has no kws: run ./dev build first")


@dataclasses.dataclass
class Stream:
    """A WAV file; `spoken`: (begin, end) in samples of each phrase in it."""
    path: pathlib.Path
    samples: np.ndarray
    spoken: list

    @property
    def hours(self):
        return len(self.samples) / RATE / 3600

    @property
    def quiet_hours(self):
        """Those in which a detection is a false alarm: neither within a phrase nor so soon after it that it is one of it."""
        end = loud = 0
        for first, last in sorted(self.spoken):
            first, last = max(first, end), min(last + int(HIT_AFTER_S * RATE), len(self.samples))
            loud, end = loud + max(last - first, 0), max(end, last)
        return (len(self.samples) - loud) / RATE / 3600


def stream(path, parts, rng, phrases=(), gap_s=(0.3, 0.8)):
    """Parts with pauses between them, and the phrases spread evenly among them."""
    total = len(parts) + len(phrases)
    order = np.zeros(total, bool)
    if len(phrases):
        order[np.linspace(0, total - 1, len(phrases)).astype(int)] = True
    parts, phrases = iter(parts), iter(phrases)
    pause = np.zeros(RATE, np.int16)
    out, spoken, at = [pause], [], RATE
    for is_phrase in order:
        samples = next(phrases if is_phrase else parts)
        if is_phrase:
            spoken.append((at, at + len(samples)))
        gap = np.zeros(int(rng.uniform(*gap_s) * RATE), np.int16)
        out += [samples, gap]
        at += len(samples) + len(gap)
    samples = np.concatenate([*out, pause]).astype(np.float32)
    samples += FLOOR * np.random.default_rng(rng.randrange(1 << 30)).standard_normal(len(samples), np.float32)
    samples = np.clip(np.round(samples), -32768, 32767).astype(np.int16)
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return Stream(path, samples, spoken)


def scan(model, streams, settings, thresholds, config=None):
    """For each threshold, for each stream: the positions, in samples, of what is detected."""
    command = [KWS, "scan", "--json", *(["--config", config] if config else []), "--model", model]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    command += ["--thresholds", ",".join(str(t) for t in thresholds), *(one.path for one in streams)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"kws scan: {done.stderr.strip()}")
    found = {threshold: {str(one.path): [] for one in streams} for threshold in thresholds}
    for event in map(json.loads, done.stdout.splitlines()):
        if event["topic"].startswith("kws.candidate."):
            continue  # a near miss
        found[round(event["threshold"], 4)][event["file"]].append(event["sample"])
    return [[found[threshold][str(one.path)] for one in streams] for threshold in thresholds]


def judge(streams, detected):
    """(phrases found, phrases spoken, false alarms, hours of them); each phrase is found once at most."""
    found = spoken = alarms = 0
    for one, samples in zip(streams, detected):
        left = list(one.spoken)
        for at in samples:
            hit = next((s for s in left if s[0] <= at <= s[1] + HIT_AFTER_S * RATE), None)
            if hit is not None:
                left.remove(hit)
            elif not any(s[0] <= at <= s[1] + HIT_AFTER_S * RATE for s in one.spoken):
                alarms += 1
        found, spoken = found + len(one.spoken) - len(left), spoken + len(one.spoken)
    return found, spoken, alarms, sum(one.quiet_hours for one in streams)
