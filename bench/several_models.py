#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several models on one stream: what is heard of each, and what they cost together.

    bench/several_models.py KWSD KWS DATA FOLDER MODEL MODEL...

Makes FOLDER/words.wav of the val data, in which keywords of all models are spoken between read sentences.
A kwsd for each model and one for all of them listen to it at the same time, in real time; the system
tells the processor time of each. Then valgrind, where it is installed, counts the instructions of
`kws scan` over the first part of the same file.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
SECONDS = 90
COUNTED_SECONDS = 20
LATE_SAMPLES = 16000  # after the word's end, as docs/tuning.md has it

try:
    import numpy
    import soundfile
    import zmq
    from clips import RATE_HZ, add_floor, read_audio, read_rows, word_edges
except ImportError as error:
    print(f"a Python package is missing: {error}")
    sys.exit(SKIPPED)


def information(options, model):
    text = subprocess.run([options.kws, "info", "--json", model], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(text)


def recordings_of(data, labels):
    """(keyword, path) of the val data, for the keywords that it has."""
    found = []
    for name in ("wakewords.tsv", "commands.tsv"):
        for row in read_rows(data / name):
            keyword = row["word"].replace(" ", "_")
            if keyword in labels:
                found.append((keyword, row["path"]))
    return sorted(found)


def make_stream(data, sets):
    """Samples, and (begin, end, keyword) of what is spoken: the models take turns."""
    chance = random.Random(1)
    pools = [recordings_of(data, labels) for labels in sets]
    sentences = sorted(row["path"] for row in read_rows(data / "speech.tsv"))
    parts, labels, at = [], [], 0
    parts.append(numpy.zeros(2 * RATE_HZ, "float32"))  # until the subscriber is there
    at += len(parts[-1])
    while at < SECONDS * RATE_HZ:
        for pool in pools:
            keyword, path = chance.choice(pool)
            samples = read_audio(data / path)
            first, last = word_edges(samples)
            labels.append((at + first, at + last, keyword))
            parts += [samples, numpy.zeros(RATE_HZ // 2, "float32")]
            at += len(samples) + RATE_HZ // 2
        parts.append(read_audio(data / chance.choice(sentences))[:5 * RATE_HZ])
        at += len(parts[-1])
    return add_floor(numpy.concatenate(parts), numpy.random.default_rng(1)), labels


def start(options, folder, models, wav):
    settings = [f"model.path={','.join(models)}", "audio.source=file", f"audio.path={wav}", "log.level=error"]
    return subprocess.Popen([options.kwsd, *(word for one in settings for word in ("--set", one))],
                            env=dict(os.environ, KWSD_RUNTIME_DIR=str(folder)))


def cpu_seconds(daemon):
    """Waits for its end."""
    _, status, usage = os.wait4(daemon.pid, 0)
    daemon.returncode = os.waitstatus_to_exitcode(status)
    if daemon.returncode != 0:
        sys.exit(f"kwsd ended with status {daemon.returncode}")
    return usage.ru_utime + usage.ru_stime


def read_events(socket):
    events = []
    while socket.poll(500):
        events.append(json.loads(socket.recv_multipart()[1]))
    return events


def listen(options, wav, choices):
    """A kwsd for each choice of models, all at once: the processor time of each in seconds, and the
    detections of the last one."""
    with tempfile.TemporaryDirectory(prefix="kws-", dir="/tmp") as top, zmq.Context() as context, \
            context.socket(zmq.SUB) as socket:
        folders = [pathlib.Path(top, str(i)) for i in range(len(choices))]
        socket.subscribe("kws.detection.")
        socket.connect(f"ipc://{folders[-1]}/events")  # zmq tries until it is there
        daemons = [start(options, folder, models, wav) for models, folder in zip(choices, folders)]
        seconds = [cpu_seconds(daemon) for daemon in daemons]
        return seconds, read_events(socket)


def tell_heard(found, labels, names, sets):
    for name, keywords in zip(names, sets):
        spoken = [label for label in labels if label[2] in keywords]
        heard = [event for event in found if event["model"] == name]
        hits = [label for label in spoken
                if any(event["name"] == label[2] and label[0] < event["sample"] <= label[1] + LATE_SAMPLES
                       for event in heard)]
        print(f"  {name:20} {len(hits)} of {len(spoken)} words spoken, {len(heard)} detections")


def count_instructions(options, wav, models):
    """Of all the program, its start included."""
    with tempfile.NamedTemporaryFile(prefix="kws-", suffix=".callgrind") as out:
        chosen = [word for model in models for word in ("--model", model)]
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", options.kws, "scan", *chosen, wav],
            env=dict(os.environ, KWS_CPU_MASK=options.mask), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            check=True, text=True)
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def count(options, wav, choices):
    """Instructions for the audio alone: those of a long file less those of a short one."""
    counts = []
    samples, _ = soundfile.read(wav, dtype="int16", frames=COUNTED_SECONDS * RATE_HZ)
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("long.wav", "short.wav")]
        soundfile.write(paths[0], samples, RATE_HZ)
        soundfile.write(paths[1], samples[:RATE_HZ // 10], RATE_HZ)
        for models in choices:
            long, short = (count_instructions(options, path, models) for path in paths)
            counts.append(long - short)
    return counts


def tell_costs(names, heading, costs, form):
    *alone, together = costs
    print(f"\n{heading}")
    for name, cost in zip(names, alone):
        print(f"  {name:20} {form(cost)}, all together {together / cost:.2f} times as much")
    print(f"  {'all together':20} {form(together)}, {together / sum(alone):.2f} of the sum")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kwsd")
    parser.add_argument("kws")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--mask", default="avx2", help="vector instructions that valgrind knows (avx2)")
    parser.add_argument("--json", help="the figures, into this file")
    return parser.parse_args()


def main():
    options = parse_options()
    absent = [path for path in [options.data / "speech.tsv", *options.models] if not os.path.exists(path)]
    if absent:
        print(f"skipped: there is no {absent[0]}")
        sys.exit(SKIPPED)
    known = [information(options, model) for model in options.models]
    sets = [{label for label in one["labels"] if label[0] != "_"} for one in known]
    names = [one["name"] for one in known]
    samples, labels = make_stream(options.data, sets)
    options.folder.mkdir(parents=True, exist_ok=True)
    wav = options.folder / "words.wav"
    soundfile.write(wav, samples, RATE_HZ, subtype="PCM_16")
    choices = [[model] for model in options.models] + [options.models]
    seconds, found = listen(options, wav, choices)
    figures = {"models": names, "audio_s": len(samples) / RATE_HZ, "cpu_s": seconds}
    print(f"heard by one kwsd with {' and '.join(names)}, in {figures['audio_s']:.0f} s:")
    tell_heard(found, labels, names, sets)
    tell_costs(names, "processor time of kwsd in real time, of one core",
               [used / figures["audio_s"] for used in seconds], lambda share: f"{100 * share:7.3f} %")
    if shutil.which("valgrind"):
        figures["instructions"] = count(options, wav, choices)
        tell_costs(names, f"instructions of kws scan for {COUNTED_SECONDS} s ({options.mask})",
                   figures["instructions"], lambda number: f"{number / 1e6:7.1f} million")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
