#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What share of one core the whole daemon takes at a decision every 10 ms, on speech in real time.

    bench_daemon.py --json OUT [--seconds N] KWSD KWSD-WHOLE KWSCTL MODEL RECORDINGS FOLDER

Three daemons hear the same speech at the same time, so that a slow moment of the machine meets all: kwsd, the same
program linked so that it computes every window whole (bench/whole-windows.c), and kwsd with its default, a decision
every 40 ms. The processor time is that of all their threads, user and system, from /proc.

Then the share on a Pi Zero 2 W is predicted, not measured, from three parts:

  network       the operations that kwsd counted, at the rates of llvm-mca for the inner loops, see arm_mca.py
  instructions  of everything else that a hop takes in user space, counted by callgrind, with plain C kernels:
                instructions of this machine, not of an ARM, as no counter for those is in Debian
  wakes         the context switches counted here, SWITCH_US each

Once at the inner loops' own rates and one cycle an instruction, which is a lower bound of these two, and once as
expected: at arm_mca.SHARE of those rates and CYCLES_AN_INSTRUCTION. The three factors are assumptions.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import arm_mca

RATE_HZ = 16000
HOPS_A_SECOND = 100
WARM_UP_S = 3  # until the window is full and the first events are out
CORE, GHZ = "cortex-a53", 1.0
CYCLES_AN_INSTRUCTION = 2  # a Cortex-A53 can start two in one cycle
SWITCH_US = 20             # with the system calls around it
DAEMONS = [("kwsd", 1), ("the same, every window whole", 1), ("kwsd, every 40 ms", 4)]
COUNTED_S = (5, 15)


def skip(why):
    print(f"daemon: left out: {why}")
    sys.exit(0)


def make_speech(recordings, seconds, out):
    try:
        import numpy
        import soundfile
    except ImportError as error:
        skip(f"{error} (./dev deps bench installs it)")
    parts, left = [], seconds * RATE_HZ
    for path in recordings.read_text(encoding="utf-8").split("\n"):
        if left > 0 and path:
            samples, rate_hz = soundfile.read(path, dtype="float32")
            times = numpy.arange(len(samples) * RATE_HZ // rate_hz) * (rate_hz / RATE_HZ)
            parts.append(numpy.interp(times, numpy.arange(len(samples)), samples)[:left])
            left -= len(parts[-1])
    if not parts:
        skip(f"{recordings} names no recording")
    while left > 0:  # a short one, again
        parts.append(parts[0][:left])
        left -= len(parts[-1])
    soundfile.write(out, numpy.concatenate(parts), RATE_HZ)


class Daemon:
    def __init__(self, program, options, folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.env = dict(os.environ, KWSD_RUNTIME_DIR=str(folder))
        self.process = subprocess.Popen([program, *settings(options)], env=self.env,
                                        stdin=subprocess.DEVNULL)

    def seconds(self):
        """Processor time so far: user, system. Their sum is exact, the parts are sampled."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        user, system = fields.rsplit(")", 1)[1].split()[11:13]
        return int(user) / os.sysconf("SC_CLK_TCK"), int(system) / os.sysconf("SC_CLK_TCK")

    def switches(self):
        """Context switches of all threads so far."""
        texts = [path.read_text(encoding="utf-8")
                 for path in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/status")]
        return sum(int(n) for text in texts for n in re.findall(r"ctxt_switches:\s+(\d+)", text))

    def status(self, kwsctl):
        done = subprocess.run([kwsctl, "status", "--json"], env=self.env, stdout=subprocess.PIPE,
                              check=True)
        return json.loads(done.stdout)["network"]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def settings(options):
    return [argument for option in options for argument in ("--set", option)]


def listen(programs, kwsctl, options, seconds, folder):
    """For each of DAEMONS what it took in a second of speech, and its counts."""
    daemons = [Daemon(program, [*options, f"model.hop_frames={hop_frames}"], folder / f"run-{i}")
               for i, (program, (_, hop_frames)) in enumerate(zip(programs, DAEMONS))]
    try:
        time.sleep(WARM_UP_S)
        began = time.monotonic()
        before = [(*daemon.seconds(), daemon.switches()) for daemon in daemons]
        time.sleep(seconds)
        after = [(*daemon.seconds(), daemon.switches()) for daemon in daemons]
        passed = time.monotonic() - began
        states = [daemon.status(kwsctl) for daemon in daemons]
    finally:
        for daemon in daemons:
            daemon.stop()
    rows = []
    for i, state in enumerate(states):
        user, system, switches = [(b - a) / passed for a, b in zip(before[i], after[i])]
        rows.append({"name": DAEMONS[i][0], "user_share": user, "system_share": system,
                     "share": user + system, "switches_a_second": switches,
                     "hops_a_second": HOPS_A_SECOND / DAEMONS[i][1], "mean_exit": state["mean_exit"],
                     "binary_macs": state["binary_macs_per_hop"],
                     "float_macs": state["float_macs_per_hop"]})
    return rows


def count(kwsd, options, speech, seconds, folder):
    """Instructions of a whole run over the first seconds: all, and those of the network."""
    import soundfile
    part, out, run = folder / "part.wav", folder / "callgrind.out", folder / "run-count"
    soundfile.write(part, soundfile.read(speech, seconds * RATE_HZ, dtype="int16")[0], RATE_HZ)
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    options = [*options, f"audio.path={part}", "audio.pace=fast", "log.level=error"]
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", kwsd,
                    "--cpu-mask", "c", *settings(options)], check=True,
                   env=dict(os.environ, KWSD_RUNTIME_DIR=str(run)), stderr=subprocess.DEVNULL)
    text = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", out],
                          stdout=subprocess.PIPE, text=True, check=True).stdout

    def number(pattern):
        return sum(int(found.replace(",", "")) for found in re.findall(pattern, text))
    return number(r"([\d,]+) .*PROGRAM TOTALS"), number(r"\n *([\d,]+) .*:kws_net_run_exit")


def count_hop(kwsd, options, speech, folder):
    """Instructions of 10 ms without the network; two lengths, so that the start does not count."""
    few, many = (count(kwsd, options, speech, seconds, folder) for seconds in COUNTED_S)
    others = (many[0] - many[1]) - (few[0] - few[1])
    return others / (COUNTED_S[1] - COUNTED_S[0]) / HOPS_A_SECOND


def predict(row, instructions, root):
    """Shares of one core of a Pi Zero 2 W."""
    mca = next((name for name in arm_mca.MCA if shutil.which(name)), None)
    if mca is None or not shutil.which(arm_mca.COMPILER):
        return None
    core = next(core for core in arm_mca.rates(mca, root) if core["core"] == CORE)
    network = row["hops_a_second"] * (row["binary_macs"] / core["binary_macs_a_cycle"] +
                                      row["float_macs"] / core["float_macs_a_cycle"])

    def parts(share, cycles_an_instruction):
        found = {"network": network / share / GHZ / 1e9,
                 "instructions": instructions * HOPS_A_SECOND * cycles_an_instruction / GHZ / 1e9,
                 "wakes": row["switches_a_second"] * SWITCH_US / 1e6}
        return dict(found, all=sum(found.values()))
    return {"bound": parts(1, 1), "expected": parts(arm_mca.SHARE, CYCLES_AN_INSTRUCTION)}


def print_shares(rows, seconds):
    print(f"\n{seconds} s of speech in real time, a decision every 10 ms, default policy\n"
          f"the whole daemon, of one core        all %   user %  system %  mean exit  binary MMAC/hop")
    for row in rows:
        print(f"{row['name']:34} {100 * row['share']:7.2f} {100 * row['user_share']:8.2f} "
              f"{100 * row['system_share']:9.2f} {row['mean_exit']:10.2f} "
              f"{row['binary_macs'] / 1e6:16.3f}")
    print(f"whole windows take {rows[1]['share'] / rows[0]['share']:.1f} times as much, in user space "
          f"{rows[1]['user_share'] / rows[0]['user_share']:.1f} times")


def print_prediction(row):
    names = {"bound": "inner loops' rates, 1 cycle an instruction",
             "expected": f"{arm_mca.SHARE:.0%} of them, {CYCLES_AN_INSTRUCTION} cycles"}
    for key, name in names.items():
        parts = {part: 100 * share for part, share in row["predicted"][key].items()}
        print(f"{row['name']:18} {name:43} {parts['all']:6.2f} {parts['network']:10.2f} "
              f"{parts['instructions']:8.2f} {parts['wakes']:8.2f}")


def print_predictions(rows, instructions):
    print(f"\ninstructions of 10 ms outside the network (callgrind, this machine's, plain C): "
          f"{instructions:,.0f}")
    if rows[0]["predicted"] is None:
        print("no prediction: llvm-mca or the cross compiler is missing (./dev deps bench)")
        return
    print(f"predicted for one core of a Pi Zero 2 W (Cortex-A53, {GHZ:.0f} GHz), no measurement\n"
          f"{'':62}  all %  network %  other %  wakes %")
    for row in rows[0], rows[2]:
        print_prediction(row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    for name in "kwsd", "whole", "kwsctl", "model", "recordings", "folder":
        parser.add_argument(name, type=pathlib.Path)
    args = parser.parse_args()
    if not args.recordings.exists():
        skip(f"there is no {args.recordings}")
    args.folder.mkdir(exist_ok=True)
    speech = args.folder / "speech.wav"
    make_speech(args.recordings, args.seconds + 2 * WARM_UP_S, speech)
    options = [f"model.path={args.model}", "audio.source=file"]
    rows = listen([args.kwsd, args.whole, args.kwsd], args.kwsctl,
                  [*options, f"audio.path={speech}", "log.level=warning"], args.seconds, args.folder)
    report = {"benchmark": "daemon", "seconds": args.seconds, "daemons": rows}
    print_shares(rows, args.seconds)
    if shutil.which("valgrind"):
        report["instructions"] = count_hop(args.kwsd, [*options, "model.hop_frames=1"], speech,
                                           args.folder)
        root = pathlib.Path(__file__).resolve().parent.parent
        for row in rows:
            row["predicted"] = predict(row, report["instructions"], root)
        print_predictions(rows, report["instructions"])
    else:
        print("no prediction: valgrind is missing (./dev deps bench)")
    args.json.write_text(json.dumps(report, indent="\t") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
