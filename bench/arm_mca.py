#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the kernels for 64-bit ARM cost on boards that are not here: llvm-mca predictions, no measurement.

usage: arm_mca.py [--json FILE] [--counts FILE] SOURCE-ROOT

Compiles the kernels with Debian's cross compiler, cuts out the inner loops and asks llvm-mca for their
cycles on each core. --counts names the bench-streaming.json of `./dev bench streaming`, whose counted
operations of a window and of a hop turn them into milliseconds. Two things are added up:

  inner    binary and float multiply-accumulates at the rate of the inner loops: a lower bound
  expected the same at SHARE of those rates. What the inner loops leave out (starts and ends of tiles,
           tiles of fewer than four positions, transforms, signs, pooling, depthwise convolutions, waiting
           for memory) is allowed for by this share, which is an assumption: no board has confirmed it.
           For comparison: the figures that Larq Compute Engine publishes for QuickNet on a Cortex-A72
           are a third of what its inner loop could do.

The front end is not in the figures. llvm-mca knows no caches. Its models: cortex-a76 is modelled as
Cortex-A57, and so is neoverse-n1 before LLVM 17; A76 and N1 are nearly the same core, so predictions for
the A76 use neoverse-n1.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

COMPILER = "aarch64-linux-gnu-gcc"
MCA = ["llvm-mca-19", "llvm-mca-16", "llvm-mca-15", "llvm-mca-14", "llvm-mca"]
FLAGS = ["-std=c11", "-D_DEFAULT_SOURCE", "-O3", "-ffp-contract=off", "-DNDEBUG"]
ITERATIONS = 400
SHARE = 0.6
BOUND_OPERATIONS = 96  # of 128 bits, for 4096 binary multiply-accumulates: eor, cnt, add for each 128
TILE_MACS = 4 * 8 * 64  # positions, outputs, channels of one turn of the loop in bconv-neon-a64.h
BOUND_MOST = 1.25
CORES = {"cortex-a53": 1, "cortex-a72": 2, "cortex-a76": 2, "neoverse-n1": 2}  # vector operations a cycle
BOARDS = [
    ("Pi Zero 2 W", "cortex-a53", 1.0),
    ("Pi 3 B", "cortex-a53", 1.2),
    ("Pi 3 B+", "cortex-a53", 1.4),
    ("Pi 4, first", "cortex-a72", 1.5),
    ("Pi 4", "cortex-a72", 1.8),
    ("Pi 5", "neoverse-n1", 2.4),
]


def skip(why):
    print(f"arm: left out: {why}")
    sys.exit(0)


def assembly(root, name):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "kernel.s")
        subprocess.run([COMPILER, *FLAGS, f"-I{root}", "-S", root / "bnn" / name, "-o", out], check=True)
        return out.read_text().splitlines()


def instructions(lines):
    """Without labels, directives and comments."""
    return [line for line in lines if re.match(r"\s*[a-z]\S*\s", line)]


def marked_loop(lines):
    begin = next(i for i, line in enumerate(lines) if "LLVM-MCA-BEGIN" in line)
    end = next(i for i, line in enumerate(lines) if "LLVM-MCA-END" in line)
    return instructions(lines[begin + 1:end])


def inner_loops(lines):
    """Everything between a label and the branch back to it that holds no other label."""
    labels = {}
    for i, line in enumerate(lines):
        label = re.match(r"(\.L\w+):", line)
        if label:
            labels = {label[1]: i}
        branch = re.match(r"\s+(?:b\.?\w+|cbn?z\s+\w+,|tbn?z\s+\w+,.*,)\s+(\.L\w+)$", line)
        if branch and branch[1] in labels:
            yield instructions(lines[labels[branch[1]] + 1:i + 1])


def count(loop, pattern):
    return sum(re.search(pattern, line) is not None for line in loop)


def float_loop(lines):
    """The inner loop of a dense convolution is the one with the most vector multiplications."""
    return max(inner_loops(lines), key=lambda loop: count(loop, r"fmul\s+v\d+\.4s"))


def cycles(mca, core, loop):
    """Of one turn, in the long run."""
    text = re.sub(r"(b\.?\w+)\s+\S+$", r"\1 .Lloop", "\n".join(loop))  # wherever it goes
    result = subprocess.run([mca, "-mtriple=aarch64", f"-mcpu={core}", f"-iterations={ITERATIONS}"],
                            input=f".Lloop:\n{text}\n", capture_output=True, text=True, check=True)
    return int(re.search(r"Total Cycles:\s+(\d+)", result.stdout)[1]) / ITERATIONS


def rates(mca, root):
    """Of each core: cycles and multiply-accumulates a cycle of both inner loops."""
    tile = marked_loop(assembly(root, "bconv-ops-neon.c"))
    floats = float_loop(assembly(root, "float-ops-c.c"))
    operations = count(tile, r"^\s*(eor|cnt|add)\s+v") * 4096 / TILE_MACS
    float_macs = 4 * count(floats, r"fmul\s+v\d+\.4s")
    found = []
    for core, width in CORES.items():
        tile_cycles = cycles(mca, core, tile)
        float_cycles = cycles(mca, core, floats)
        found.append({
            "core": core,
            "vector_operations_for_4096": operations,
            "cycles_for_4096": tile_cycles * 4096 / TILE_MACS,
            "of_bound": tile_cycles * 4096 / TILE_MACS / (BOUND_OPERATIONS / width),
            "binary_macs_a_cycle": TILE_MACS / tile_cycles,
            "float_macs_a_cycle": float_macs / float_cycles,
        })
    return found


def print_rates(found):
    print("\ninner loops: for 4096 binary multiply-accumulates (bMAC), and per cycle\n"
          "core         vector operations  cycles  of the bound  bMAC/cycle  float MAC/cycle")
    for core in found:
        verdict = "" if core["of_bound"] <= BOUND_MOST else f"  above {BOUND_MOST}"
        print(f"{core['core']:12} {core['vector_operations_for_4096']:17.0f} {core['cycles_for_4096']:7.1f} "
              f"{core['of_bound']:13.3f} {core['binary_macs_a_cycle']:11.1f} "
              f"{core['float_macs_a_cycle']:16.2f}{verdict}")


def predict(found, counts):
    """Milliseconds of a window, and of a hop of one frame in a stream, as deep as each exit."""
    by_core = {core["core"]: core for core in found}
    predictions = []
    for entry in counts["hops"]:
        if entry["hop_frames"] != 1:
            continue
        for board, core, ghz in BOARDS:
            row = {"network": entry["network"], "exit": entry["exit"], "board": board, "ghz": ghz}
            for kind in "whole", "stream":
                inner = (entry[kind + "_binary_macs"] / by_core[core]["binary_macs_a_cycle"] +
                         entry[kind + "_float_macs"] / by_core[core]["float_macs_a_cycle"]) / ghz / 1e6
                row[kind + "_inner_ms"] = inner
                row[kind + "_expected_ms"] = inner / SHARE
            predictions.append(row)
    return predictions


def print_predictions(predictions):
    print(f"\nmilliseconds, llvm-mca prediction: at the inner loops' rates, and expected at {SHARE:.0%} of them\n"
          "                                              window        hop of 10 ms\n"
          "network           exit  board        GHz   inner  expected   inner  expected")
    last = {entry["network"]: entry["exit"] for entry in predictions}
    for row in predictions:
        if row["exit"] in (1, last[row["network"]]):
            print(f"{row['network']:17} {row['exit']:4}  {row['board']:12} {row['ghz']:.1f} "
                  f"{row['whole_inner_ms']:7.2f} {row['whole_expected_ms']:9.2f} "
                  f"{row['stream_inner_ms']:7.3f} {row['stream_expected_ms']:9.3f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--counts", type=pathlib.Path)
    parser.add_argument("root", type=pathlib.Path)
    options = parser.parse_args()
    mca = next((name for name in MCA if shutil.which(name)), None)
    if mca is None or not shutil.which(COMPILER):
        skip(f"needs llvm-mca and {COMPILER} (./dev deps bench installs them)")
    print(f"arm: llvm-mca prediction, not a measurement; {mca} and {COMPILER}")
    report = {"benchmark": "arm", "method": "llvm-mca prediction", "tool": mca, "share": SHARE}
    report["cores"] = rates(mca, options.root)
    print_rates(report["cores"])
    if options.counts and options.counts.exists():
        report["predictions"] = predict(report["cores"], json.loads(options.counts.read_text()))
        print_predictions(report["predictions"])
    else:
        print("no milliseconds: ./dev bench streaming counts the operations first")
    if options.json:
        options.json.write_text(json.dumps(report, indent="\t") + "\n")


if __name__ == "__main__":
    main()
