#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each exit policy costs and misses on hours of speech with keywords mixed in.

    bench_exits.py --json OUT KWS MODEL DATA FOLDER

Settings of every policy are chosen on one stream of val recordings and measured on another, with
other speakers (make_stream.py, kept in FOLDER). Prints and never fails because of its figures.
"""

import json
import pathlib
import subprocess
import sys

# The data's sentences contain everyday words that are keywords of the model, so a rate that suits
# a quiet room would leave hardly any detection at all.
FALSE_ALARMS_PER_HOUR = 100
PENALTY = 0.1       # of keywords found for the operations of a hop, as kws tune has it
MORE_MISSED = 0.01  # what half of the operations may cost


def run_tune(kws, model, folder):
    streams = ["--stream", folder / "search.flac", "--check", "--stream", folder / "check.flac"]
    done = subprocess.run([kws, "tune", "--json", "--model", model, "--false-alarms-per-hour",
                           str(FALSE_ALARMS_PER_HOUR), "--penalty", str(PENALTY),
                           *streams],
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def print_row(name, tally, full, settings=""):
    low, high = tally["interval"]
    print(f"{name:18}{tally['operations_per_hop'] / 1e6:8.2f}"
          f"{100 * tally['operations_per_hop'] / full:8.1f}{tally['mean_exit']:8.2f}"
          f"{100 * tally['miss_rate']:8.1f}{tally['false_alarms_per_hour']:9.1f}"
          f" ({low:.0f} to {high:.0f})  {settings}")


def print_table(report):
    full = report["full_operations_per_hop"]["check"]
    print(f"\n{'':18}{'Mop/hop':>8}{'of full':>8}{'exit':>8}{'missed':>8}{'alarms/h':>9}")
    print_row("defaults", report["as_configured"]["check"], full, "entropy, the model's deltas")
    print_row("  new thresholds", report["as_configured_tuned"]["check"], full,
              "entropy, the model's deltas")
    for policy in report["policies"]:
        best = policy["outcomes"][policy["best"]]
        print_row(policy["policy"], best["check"], full, best["settings"])


def cheapest(report, names, most_missed):
    """Of the settings that missed no more on the stream to search on."""
    outcomes = [outcome for policy in report["policies"] if policy["policy"] in names
                for outcome in policy["outcomes"]
                if outcome["search"]["miss_rate"] <= most_missed]
    return min(outcomes, key=lambda outcome: outcome["search"]["operations_per_hop"], default=None)


def compare(report, name, entropy):
    """With the cheapest setting of the two that look at time that ought to miss no more."""
    print(f"\nagainst {name}:")
    allowed = entropy["search"]["miss_rate"] + MORE_MISSED
    for policy in ("difference", "temporal-patience"):
        other = cheapest(report, (policy,), allowed)
        if other is None:
            print(f"  {policy}: no setting misses so few")
            continue
        cost = other["check"]["operations_per_hop"] / entropy["check"]["operations_per_hop"]
        missed = 100 * (other["check"]["miss_rate"] - entropy["check"]["miss_rate"])
        kept = cost <= 0.5 and missed <= 100 * MORE_MISSED
        print(f"  {policy} ({other['settings']}): {cost:.2f} of the operations, {missed:+.1f} "
              f"points missed, {other['check']['false_alarms_per_hour']:.0f} alarms an hour "
              f"against {entropy['check']['false_alarms_per_hour']:.0f}: "
              f"{'at most half' if kept else 'NOT at most half'} for at most a point")


def main():
    if len(sys.argv) != 7 or sys.argv[1] != "--json":
        sys.exit(__doc__)
    out, kws, model, data, folder = map(pathlib.Path, sys.argv[2:])
    if not (data / "commands.tsv").exists():
        print(f"exits: skipped, there is no {data} with recordings to make streams of")
        return
    script = pathlib.Path(__file__).with_name("make_stream.py")
    subprocess.run([script, data, folder], check=True)
    report = run_tune(kws, model, folder)
    out.write_text(json.dumps(report), encoding="utf-8")
    check = report["as_configured"]["check"]
    print(f"{report['model']}, hops of {10 * report['hop_frames']} ms. Settings chosen on one "
          f"stream, figures of another with\nother speakers: {check['spoken']} keywords and "
          f"{check['hours']:.2f} hours without. Keyword thresholds of each setting for\nat most "
          f"{FALSE_ALARMS_PER_HOUR} false alarms an hour where they were chosen. (95 % interval)")
    print_table(report)
    compare(report, "entropy with the deltas that the model brings", report["as_configured_tuned"])
    policies = {policy["policy"]: policy for policy in report["policies"]}
    tuned = policies["entropy"]["outcomes"][policies["entropy"]["best"]]
    compare(report, f"entropy with tuned deltas and confirm ({tuned['settings']})", tuned)


if __name__ == "__main__":
    main()
