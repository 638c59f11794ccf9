"""The command line of train/keyword."""
import argparse
import math
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
ABOUT = """Makes a model for a keyword of your own from nothing but its text.

espeak-ng speaks the phrase, what sounds near it and ordinary sentences in all its voices of the language; in English flite
speaks, too. On the first blocks of a shipped network a small one is trained to tell them apart, in rooms and noise.
Recordings that you have make it better."""
EPILOG = """Writes NAME.safetensors and NAME.conf, for kwsd --config or to copy from. Takes some minutes on one
core; --effort 0.2 gives an idea sooner. docs/wake-words.md says what to expect."""


def options(arguments=None):
    parser = argparse.ArgumentParser(prog="train/keyword", description=ABOUT, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phrase", help='what will be said, such as "hey raspberry"; half a second to a second long')
    parser.add_argument("--recordings", metavar="DIR", help="your recordings of the phrase, one in each file, silence around")
    parser.add_argument("--speech", metavar="DIR", help="recordings of speech without the phrase, the more hours the better")
    parser.add_argument("--noise", metavar="DIR", help="recordings of noise from where it will listen")
    parser.add_argument("--language", default="en", help="espeak-ng's name of it (default en; espeak-ng --voices lists them)")
    parser.add_argument("--text", metavar="FILE", help="a text in that language, for words to tell apart (default: English)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."), help="folder of the results (default: here)")
    parser.add_argument("--from", dest="base", type=pathlib.Path, default=ROOT / "models" / "commands.safetensors",
                        metavar="MODEL", help="the model to begin with (default: the shipped commands)")
    parser.add_argument("--false-alarms-per-hour", type=float, default=0.5, metavar="N", help="to tune for (default 0.5)")
    parser.add_argument("--effort", type=float, default=1.0, help="share of the utterances, examples and epochs (default 1)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4),
                        help="processes (default: one a core, at most 4)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where ./dev build has built")
    args = parser.parse_args(arguments)
    if not 0.005 <= args.effort <= 10:
        parser.error("--effort takes 0.005 to 10")
    if not 0 <= args.false_alarms_per_hour < math.inf:
        parser.error("--false-alarms-per-hour takes 0 or more")
    if args.jobs < 1:
        parser.error("--jobs takes 1 or more")
    return args
