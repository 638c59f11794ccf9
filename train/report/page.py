"""The report as a Markdown page with its figures."""
import os
import pathlib
import re
import textwrap

from kwstrain.chart import draw, draw_shares
from kwstrain.data import LABELS
from report.published import DELTAS, EXITS, NETWORKS, PAPER

MIB = 2**20
SHOWN_DELTA = 0.5
EXIT_NAMES = [f"exit {number}" for number in range(1, EXITS + 1)]


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def paragraph(text):
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def plain(text):
    """Names such as _unknown_ as they are, not in italics."""
    return text.replace("_", r"\_")


def or_dash(value, text="{:g}"):
    return "–" if value is None else text.format(value)


def with_interval(accuracy):
    low, high = accuracy.interval
    return f"{accuracy.percent:.2f} ({low:.1f} to {high:.1f})"


def processor():
    """The name that Linux gives the CPU."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else os.uname().machine


def intro(command):
    text = paragraph(f"""The four binary backbones with five exits of {PAPER}, as the C engine runs them. This page is made by
        `{command}`; edit `train/report/`, not the page.""")
    return f"# The paper's networks\n\n{text}"


def missing_section(measured):
    missing = [network.title for name, network in NETWORKS.items() if name not in measured]
    return f"**No model was there of: {', '.join(missing)}.** What follows is of the others." if missing else None


def data_section(wanted, words):
    counts = ", ".join(f"{plain(label)} {wanted.count(label)}" for label in dict.fromkeys(wanted))
    clips = paragraph(f"""Every figure of ours is over the {len(wanted)} one-second validation clips ({counts}), of speakers
        that training never heard; {len(set(words) - set(LABELS[-1:]))} different words. Intervals are 95 % (Wilson). The
        paper's figures beside them are of other clips, so that they compare kinds of networks, not percent by percent:""")
    return f"""## Data, and how it differs from the paper's

{clips}

- Eight command words, `_unknown_` and `_silence_` here; the paper has the twelve classes of Speech Commands, with "on"
  and "off".
- A part of Speech Commands here; Arabic words, cut sentences and synthetic words join `_unknown_` in training only.
- `_silence_` here is recordings of rain, sea, dogs, running water and the like.
- Our exits lie after block 2 (dense layer 3 of BinaryDenseNet), at the ends of sections 1 to 3 before the transition, and
  at the end. Where the paper has its first one could not be found out.
- The paper's latencies are of another machine and engine and are left out. A dash stands for what could not be read of
  its tables, or was not trained here."""


def sentences(text):
    """Split after a small letter, "_" or ")", so that initials stay whole."""
    return re.split(r"(?<=[a-z_)]\.) ", text)


def cards_section(measured):
    """The cards, with what all of them say told once."""
    cards = {name: sentences(network.info["card"]) for name, network in measured.items()}
    common = [sentence for sentence in next(iter(cards.values())) if all(sentence in card for card in cards.values())]
    own = {name: " ".join(sentence for sentence in card if sentence not in common) for name, card in cards.items()}
    listed = "\n".join(f"- **{NETWORKS[name].title}**: {plain(text)}" for name, text in own.items() if text)
    return "\n\n".join(part for part in (
        "## How they were trained", paragraph("""What each model's card says (`kws info`), at the end what all say.
        `train/README.md` has the commands."""), listed, paragraph(plain(" ".join(common)))) if part)


def size_table(measured):
    rows = []
    for name, network in measured.items():
        info, paper = network.info, NETWORKS[name]
        rows.append([paper.title, f"{info['parameters'] / 1e6:.2f}", or_dash(paper.parameters), f"{info['bytes'] / MIB:.2f}",
                     or_dash(paper.binary_mib), f"{info['bytes_as_float'] / MIB:.2f}", or_dash(paper.float_mib)])
    return table(["network", "parameters, M", "paper", "MiB, binary weights as bits", "paper", "MiB, all as float", "paper"], rows)


def cost_rows(measured):
    for name, network in measured.items():
        title = NETWORKS[name].title
        exits = network.info["exits"]
        yield [title, "binary MAC, M", *(f"{one['binary_macs'] / 1e6:.1f}" for one in exits)]
        yield [title, "float MAC, M", *(f"{one['float_macs'] / 1e6:.2f}" for one in exits)]
        yield [title, "latency, µs", *(f"{us:.0f}" for us in network.times_us)]


def table_1(measured, front_end_us):
    kernels = next(iter(measured.values())).info["kernels"]
    latency = paragraph(f"""Latency: a whole one-second clip on one thread of {processor()} ({kernels}), the front end
        included, which takes {front_end_us:.0f} µs of it; the best of several rounds (`bench-networks`). In a stream a hop
        costs a fraction of it.""")
    return f"""## Table 1: size and cost

{size_table(measured)}

Parameters are those of the file, where batch norms are folded into two numbers a channel or a threshold.

{table(["network", "up to", *EXIT_NAMES], cost_rows(measured))}

{latency}"""


def accuracy_rows(measured, single):
    for name, network in measured.items():
        paper = NETWORKS[name]
        yield [paper.title, "five exits", *map(with_interval, network.accuracies)]
        yield [paper.title, "paper, five exits", *map(or_dash, paper.exits)]
        alone = [single.get((name, number)) for number in range(1, EXITS + 1)]
        if any(alone):
            yield [paper.title, "each exit trained alone", *(with_interval(one) if one else "–" for one in alone)]
        yield [paper.title, "paper, trained alone", *["–"] * (EXITS - 1), or_dash(paper.single)]


def table_2(measured, single):
    return f"""## Table 2: accuracy of each exit, %

{table(["network", "", *EXIT_NAMES], accuracy_rows(measured, single))}"""


def delta_rows(measured):
    for name, network in measured.items():
        for delta, operation in network.operations.items():
            shares = " ".join(f"{100 * count / sum(operation.counts):.1f}" for count in operation.counts)
            yield [NETWORKS[name].title, delta, with_interval(operation.accuracy), f"{operation.mean_exit:.2f}",
                   f"{operation.mean_us(network.times_us):.0f}", shares]


def delta_section(measured):
    header = ["network", "delta, nats", "accuracy, %", "mean exit", "mean latency, µs", "share of exits 1 to 5, %"]
    return f"""## The threshold

A clip leaves at the first exit whose entropy, with the exit's temperature in the model file (the paper has none), is below
delta. Each row is a run of `kws classify --delta`, the policy itself; the mean latency follows from the shares and Table 1.

{table(header, delta_rows(measured))}"""


FIGURES = f"""## Figures

Figure 2: accuracy for each delta ({', '.join(map(str, DELTAS))}).

![Accuracy against delta](paper-accuracy.svg)

Figure 3: where the clips leave for each delta.

![Share of exits for each delta](paper-exits.svg)

Figure 4: accuracy against the mean exit, one point for each delta.

![Accuracy against the mean exit](paper-mean-exit.svg)

Figure 5: where the clips of each class leave, delta {SHOWN_DELTA}.

![Share of exits for each class](paper-classes.svg)"""


def figures(measured, labels):
    """{file name: SVG}"""
    runs = {NETWORKS[name].title: network.operations for name, network in measured.items()}
    accuracy = {title: [(delta, run.accuracy.percent) for delta, run in of.items()] for title, of in runs.items()}
    means = {title: sorted((run.mean_exit, run.accuracy.percent) for run in of.values()) for title, of in runs.items()}
    exits = {title: {delta: run.counts for delta, run in of.items()} for title, of in runs.items()}
    classes = {title: {label.strip("_"): of[SHOWN_DELTA].by_label[label] for label in labels if label in of[SHOWN_DELTA].by_label}
               for title, of in runs.items()}
    return {"paper-accuracy.svg": draw(accuracy, "delta, nats", "accuracy, %"),
            "paper-exits.svg": draw_shares(exits, EXIT_NAMES, "delta, nats; share in %"),
            "paper-mean-exit.svg": draw(means, "mean exit", "accuracy, %"),
            "paper-classes.svg": draw_shares(classes, EXIT_NAMES, f"class, delta {SHOWN_DELTA}; share in %")}


def page(command, measured, single, front_end_us, wanted, words):
    sections = [intro(command), missing_section(measured), data_section(wanted, words), cards_section(measured),
                table_1(measured, front_end_us), table_2(measured, single), delta_section(measured), FIGURES]
    return "\n\n".join(section for section in sections if section) + "\n"
