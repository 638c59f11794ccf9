# SPDX-License-Identifier: Apache-2.0
"""What hears the streams: kws scan, and PocketSphinx beside it. Both give events."""

import hashlib
import json
import pathlib
import re
import subprocess
import tempfile
from typing import NamedTuple

import soundfile

from clips import RATE_HZ
from wake_score import Event

EVENT_DECIMALS = 4  # of a threshold in an event
# Close to 1 the scores of a trained network are dense.
THRESHOLDS = tuple(round(step, EVENT_DECIMALS) for step in (
    0.01, 0.02, 0.03, *(0.05 + 0.025 * step for step in range(36)), 0.94, 0.95, 0.96, 0.97, 0.98,
    0.985, 0.99, 0.9925, 0.995, 0.9975, 0.999))
DEFAULT_THRESHOLD = 0.8  # where neither configuration nor model has one
SPHINX_THRESHOLDS = tuple(10.0 ** power for power in range(-60, 31, 3))
SPHINX_MODEL = pathlib.Path("/usr/share/pocketsphinx/model/en-us")
SPHINX_SPELLING = {"snowboy": "snow boy"}  # as its dictionary has it, and the public benchmark
SPHINX_LINE = re.compile(r"^(\S+@.*?)\s+[\d.]+ ([\d.]+) [\d.]+$", re.MULTILINE)
FRAMES = 1 << 16


class Model(NamedTuple):
    """A model for kws scan, with its keywords as they are written here: blanks for underscores."""
    kws: pathlib.Path
    path: pathlib.Path
    spelling: dict    # keyword: label in the model
    thresholds: dict  # keyword: the one that it is shipped with


def read_model(kws, path):
    done = subprocess.run([kws, "info", "--json", path], stdout=subprocess.PIPE, check=True)
    told = json.loads(done.stdout)
    spelling = {label.replace("_", " "): label for label in told["labels"]}
    return Model(kws, path, spelling, {
        label: round(told["thresholds"].get(own, DEFAULT_THRESHOLD), EVENT_DECIMALS)
        for label, own in spelling.items() if not own.startswith("_")})


def kws_scan(model, path, options):
    """The objects that it prints, but for near misses, which nobody is told of who waits for a keyword."""
    with subprocess.Popen([model.kws, "scan", "--json", "--model", model.path, *options, path],
                          stdout=subprocess.PIPE, text=True) as scan:
        yield from (told for told in map(json.loads, scan.stdout)
                    if not told["topic"].startswith("kws.candidate."))
    if scan.returncode != 0:
        raise SystemExit(f"eval-wake: kws scan failed on {path}")


def to_event(told):
    return Event(told["name"].replace("_", " "), told["threshold"], told["sample"] / RATE_HZ)


def kws_thresholds(model):
    """Those to try."""
    return sorted({*THRESHOLDS, *model.thresholds.values()})


def sweep_kws(model, path, options):
    """The events of every threshold."""
    sweep = ("--thresholds", ",".join(map(str, kws_thresholds(model))))
    return [to_event(told) for told in kws_scan(model, path, (*options, *sweep))]


def sphinx_phones(labels):
    """{word: its sounds} of the dictionary that comes with the model."""
    wanted = {word for label in labels for word in SPHINX_SPELLING.get(label, label).split()}
    phones = {}
    with open(SPHINX_MODEL / "cmudict-en-us.dict", encoding="utf-8") as file:
        for line in file:
            word, _, sounds = line.strip().partition(" ")
            if word in wanted:
                phones[word] = sounds
    return phones


def sphinx_lists(labels):
    """Keyphrase list and dictionary: each keyword once for each threshold, under other names.

    Keyphrases are looked for independently of each other, so one run is a run for each threshold.
    """
    phones = sphinx_phones(labels)
    keyphrases, dictionary = [], []
    for index, threshold in enumerate(SPHINX_THRESHOLDS):
        dictionary += [f"{word}@{index} {sounds}" for word, sounds in phones.items()]
        for label in labels:
            words = SPHINX_SPELLING.get(label, label).split()
            phrase = " ".join(f"{word}@{index}" for word in words)
            keyphrases.append(f"{phrase} /{threshold:g}/")
    return "\n".join(keyphrases) + "\n", "\n".join(dictionary) + "\n"


def feed(path, file):
    with soundfile.SoundFile(path) as sound:
        for block in sound.blocks(FRAMES, dtype="int16"):
            file.write(block.tobytes())
    file.close()


def run_sphinx(path, keyphrases, dictionary):
    """Its output: a line for each keyphrase that it heard."""
    with tempfile.TemporaryDirectory(prefix="eval-wake-") as folder, \
            tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        names = {"-kws": keyphrases, "-dict": dictionary}
        for option, text in names.items():
            pathlib.Path(folder, option).write_text(text, encoding="utf-8")
        options = [word for option in names for word in (option, pathlib.Path(folder, option))]
        with subprocess.Popen(["pocketsphinx_continuous", "-infile", "/dev/stdin", "-time", "yes",
                               "-hmm", SPHINX_MODEL / "en-us", "-logfn", "/dev/null", *options],
                              stdin=subprocess.PIPE, stdout=output) as sphinx:
            feed(path, sphinx.stdin)
        if sphinx.returncode != 0:
            raise SystemExit(f"eval-wake: pocketsphinx_continuous failed on {path}")
        output.seek(0)
        return output.read()


def parse_sphinx(output, labels):
    """Lines of keyphrase, start, end and confidence; others repeat the keyphrases alone."""
    spelt = {SPHINX_SPELLING.get(label, label): label for label in labels}
    events = []
    for phrase, end_s in SPHINX_LINE.findall(output):
        words, indices = zip(*(word.split("@") for word in phrase.split()))
        events.append(Event(spelt[" ".join(words)], SPHINX_THRESHOLDS[int(indices[0])],
                            float(end_s)))
    return events


def sweep_sphinx(path, labels, cache):
    """The events of every threshold, told at the end of the word; kept in the folder `cache`."""
    lists = sphinx_lists(labels)
    with open(path, "rb") as file:
        audio = hashlib.file_digest(file, "sha256").hexdigest()
    key = hashlib.sha256("".join((audio, *lists)).encode()).hexdigest()[:16]
    kept = cache / f"pocketsphinx-{key}.txt"
    if not kept.exists():
        draft = kept.with_suffix(".draft")
        draft.write_text(run_sphinx(path, *lists), encoding="utf-8")
        draft.rename(kept)
    return parse_sphinx(kept.read_text(encoding="utf-8"), labels)
