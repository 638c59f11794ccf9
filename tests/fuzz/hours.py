#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hours of fuzzing for each target, in slices that may be spread over many runs.

Always takes the target that has had the least processor time so far, runs it for a slice and writes what it really used,
not the time that went by, into a ledger. The ledger, the growing corpora and the logs stay in the state folder, so that a
later run goes on where this one ended. Stops when each target has had its hours, at SIGINT or SIGTERM, or at the first
finding: then it tells where the input lies, and the exit status is 1.

--report prints the ledger as a table. --merge adds to tests/fuzz/corpus the inputs that reach something new and are not
large, and checks that all corpora together stay below their limit.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
CORPUS_LIMIT_BYTES = 2 << 20
INPUT_LIMIT_BYTES = 8 << 10
# Of wall time for one input: high, since at the lowest priority a process may stand still for a while.
INPUT_TIMEOUT_S = 120
# libFuzzer's, when a signal ended it.
INTERRUPTED = 72
# A sanitizer that only prints proves nothing: meson 1.0 leaves UBSan so.
ENVIRONMENT = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")

Slice = collections.namedtuple("Slice", "target commit started cpu_s inputs finding")


class Ledger:
    """What each target has had, on which commits."""

    def __init__(self, path, targets):
        self.path = path
        self.targets = targets
        self.slices = [Slice(**each) for each in json.loads(path.read_text())] if path.exists() else []

    def add(self, done):
        self.slices.append(done)
        draft = self.path.with_suffix(".new")
        draft.write_text("[\n" + ",\n".join(json.dumps(each._asdict()) for each in self.slices) + "\n]\n")
        draft.replace(self.path)

    def of(self, target):
        return [each for each in self.slices if each.target == target]

    def cpu_s(self, target):
        return sum(each.cpu_s for each in self.of(target))

    def report(self):
        print("| target | minutes | inputs | findings | commits |\n|---|---|---|---|---|")
        for target in self.targets:
            done = self.of(target)
            commits = " ".join(dict.fromkeys(each.commit for each in done))
            findings = sum(each.finding is not None for each in done)
            print(f"| {target} | {self.cpu_s(target) / 60:.1f} | {sum(each.inputs for each in done):,} | {findings} | {commits} |")


class Run:
    """One slice of one target."""

    def __init__(self, state, target, commit, seconds):
        self.target, self.commit = target, commit
        self.started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        found = state / "corpus" / target
        self.findings = state / "findings"
        self.log = state / "log" / f"{target}.txt"
        for folder in (found, self.findings, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        # New inputs go to the first folder; the committed corpus is only read.
        command = [state / "bin" / commit / f"fuzz-{target}", f"-max_total_time={seconds}", f"-timeout={INPUT_TIMEOUT_S}",
                   f"-report_slow_units={INPUT_TIMEOUT_S}", "-rss_limit_mb=1024", "-print_final_stats=1",
                   f"-artifact_prefix={self.findings}/{target}-", found, CORPUS / target]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=ENVIRONMENT)

    def ended(self, status, usage):
        """The slice for the ledger, once wait4() has told of the process."""
        self.process.returncode = code = os.waitstatus_to_exitcode(status)
        text = self.log.read_text(errors="replace")
        inputs = re.search(r"stat::number_of_executed_units: (\d+)", text) or re.search(r"Done (\d+) runs", text)
        written = re.findall(r"Test unit written to (\S+)", text) or [f"exit status {code}"]
        finding = None if code in (0, INTERRUPTED) else written[-1]
        return Slice(self.target, self.commit, self.started, round(usage.ru_utime + usage.ru_stime, 1),
                     int(inputs.group(1)) if inputs else 0, finding)


def fuzz(ledger, state, commit, args):
    """Keeps --jobs processes busy; returns the first finding or None."""
    stopping = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: (stopping.append(True), [one.process.terminate() for one in running.values()]))
    running, finding = {}, None
    while True:
        busy = {one.target for one in running.values()}
        waiting = [target for target in ledger.targets if target not in busy and ledger.cpu_s(target) < args.hours * 3600]
        while waiting and len(running) < args.jobs and not stopping and finding is None:
            waiting.sort(key=ledger.cpu_s, reverse=True)
            one = Run(state, waiting.pop(), commit, args.slice)
            running[one.process.pid] = one
        if not running:
            return finding
        pid, status, usage = os.wait4(-1, 0)
        done = running.pop(pid).ended(status, usage)
        ledger.add(done)
        finding = finding or done.finding
        if done.finding is not None:
            print(f"{done.target}: {done.finding}; see {state / 'log' / done.target}.txt")
            [one.process.terminate() for one in running.values()]


def keep_targets(build, state):
    """Copies the targets, so that a build in between does not change what runs; returns them and their commit."""
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout.strip()
    folder = state / "bin" / commit
    folder.mkdir(parents=True, exist_ok=True)
    for program in sorted(build.glob("tests/fuzz/fuzz-*")):
        if program.is_file():
            (folder / program.name).unlink(missing_ok=True)
            shutil.copy(program, folder)
    return commit


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def merge(state, commit, targets):
    """Adds to the committed corpora what reaches code that they do not."""
    for target in targets:
        found, merged = state / "corpus" / target, state / "merged" / target
        if not found.is_dir():
            continue
        shutil.rmtree(merged, ignore_errors=True)
        shutil.copytree(CORPUS / target, merged)
        with open(state / "log" / f"{target}-merge.txt", "wb") as log:
            subprocess.run([state / "bin" / commit / f"fuzz-{target}", "-merge=1", f"-timeout={INPUT_TIMEOUT_S}",
                            merged, found], check=True, stdout=log, stderr=log, env=ENVIRONMENT)
        for path in merged.iterdir():
            if path.stat().st_size <= INPUT_LIMIT_BYTES:
                shutil.copyfile(path, CORPUS / target / path.name)
        print(f"{target}: {len(list((CORPUS / target).iterdir()))} inputs, {size_of(CORPUS / target) / 1024:.0f} KiB")
    total = size_of(CORPUS)
    print(f"all: {total / 1024:.0f} KiB of {CORPUS_LIMIT_BYTES / 1024:.0f}")
    return 0 if total <= CORPUS_LIMIT_BYTES else 1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1, help="of processor time for each target, in all runs together")
    parser.add_argument("--slice", type=int, default=120, metavar="SECONDS", help="how long one run of a target lasts")
    parser.add_argument("--jobs", type=int, default=1, help="how many run at a time")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-fuzz", help="a build with -Dfuzzing=libfuzzer")
    parser.add_argument("--state", type=pathlib.Path, default=ROOT / "build-fuzz-hours", help="ledger, corpora, logs, findings")
    parser.add_argument("--report", action="store_true", help="print what the ledger says, and no more")
    parser.add_argument("--merge", action="store_true", help="add what was found to tests/fuzz/corpus, and no more")
    return parser.parse_args()


def main():
    args = arguments()
    targets = sorted(folder.name for folder in CORPUS.iterdir())
    state = args.state.resolve()
    ledger = Ledger(state / "ledger.json", targets)
    if args.report:
        ledger.report()
        return 0
    commit = keep_targets(args.build, state)
    if args.merge:
        return merge(state, commit, targets)
    finding = fuzz(ledger, state, commit, args)
    ledger.report()
    return 0 if finding is None else 1


if __name__ == "__main__":
    sys.exit(main())
