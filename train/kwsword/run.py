"""What train/keyword does, from its options to the files that it writes."""
import dataclasses
import pathlib
import random
import resource
import tempfile
import time

import torch

from kwstrain.voices import flite

from . import engine, material, phrase, sounds
from .course import Course
from .network import Model

NOISE_HOURS = 2.0
ROUNDS = 2  # of looking for what is taken for the phrase
CARD = """'{phrase}', spoken by synthetic voices ({language}){more}; made by train/keyword from {base}, whose card says: {card}"""
CONFIG = """# '{phrase}', made by train/keyword.
# {told}

[model]
path = {model}

[keyword {name}]
phrase = {phrase}
threshold = {threshold}
confirm = {exits}
"""


def cpu_seconds():
    """Of this process and of those that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def told(judged):
    found, spoken, alarms, hours = judged
    return f"{found} of {spoken} phrases of synthetic voices kept apart found, {alarms} false alarms in {hours:.2f} hours"


class Run:
    """`folder` is for what is thrown away at the end."""

    def __init__(self, args, folder):
        self.args, self.folder, self.rng = args, folder, random.Random(args.seed)
        self.name = phrase.name_of(args.phrase)
        self.path = args.out / f"{self.name}.safetensors"
        self.config = self.path.with_suffix(".conf")
        for path in (self.path, self.config):
            if path.exists():
                raise SystemExit(f"{path} exists: remove it, or give another folder with --out")
        self.base = Model(args.base)
        self.course = Course(self.base, self.name, folder, args)
        self.threshold, self.judged = 1.0, None

    def gather(self):
        """Material to train with, and streams to find false alarms in and to judge by."""
        args, rng = self.args, self.rng
        if flite.speaks(args.language) and not flite.is_installed():
            print("flite is missing: with its voices beside espeak-ng's a model finds people far more often (./dev deps train)")
        self.mine, self.held = material.own_recordings(args.recordings, rng) if args.recordings else ([], [])
        speech, check_speech = material.speech_of(args.speech, self.folder, args.effort, rng) if args.speech else ([], [])
        noise = sounds.decoded("noise", sounds.recordings_in(args.noise), self.folder, NOISE_HOURS, rng) if args.noise else []
        studio = material.Studio(args.phrase, args.language, args.text, args.effort, rng, args.jobs)
        self.material = dataclasses.replace(studio.material(), speech=list(speech), noise=list(noise))
        self.check_phrases, others = studio.check(check_speech)
        rng.shuffle(others)
        self.check = [engine.stream(self.folder / "check.wav", others, rng, self.check_phrases)]
        # no near misses: trained on what is taken for the phrase among them, the model knew only espeak-ng's way to say it
        without = self.material.sentences + self.material.speech
        rng.shuffle(without)
        self.without = [engine.stream(self.folder / f"without{i}.wav", without[i::ROUNDS], rng) for i in range(ROUNDS)]
        print(f"'{args.phrase}': {len(self.material.phrase)} utterances, {len(self.material.near)} near misses, "
              f"{sum(one.hours for one in self.without):.1f} hours without it", flush=True)

    def train(self):
        self.course.begin(self.material)
        for one in self.without:
            count = self.course.mine(self.material, one)
            print(f"taken for the phrase: {count} places; trained on with them", flush=True)
        self._finish()

    def train_with_recordings(self):
        before = self._found_of_held()
        self.material.recordings = self.mine
        self.course.train_with_recordings(self.material)
        self._finish()
        if self.held:
            print(f"of your recordings kept apart: {before} of {len(self.held)} found without the others, "
                  f"{self._found_of_held()} with them", flush=True)

    def _finish(self):
        """Sets what is tuned, on voices that were not trained with."""
        held_out = dataclasses.replace(self.material, phrase=self.check_phrases, recordings=())
        self.course.set_deltas(held_out)
        self.course.save(self.folder / "model.safetensors", self._card())
        self.threshold, self.judged = self.course.choose_threshold(
            self.folder / "model.safetensors", self.check, self.args.false_alarms_per_hour)

    def _found_of_held(self):
        if not self.held:
            return 0
        one = engine.stream(self.folder / "held.wav", [], random.Random(1), self.held, (1.3, 1.6))
        return self.course.judge(self.folder / "model.safetensors", [one], [self.threshold])[0][0]

    def _card(self):
        more = ((" and people" if self.args.recordings else "")
                + (", beside recordings of other speech" if self.args.speech else ""))
        text = CARD.format(phrase=self.args.phrase, language=self.args.language, more=more, base=self.args.base.name,
                           card=self.base.metadata["kws.card"])
        return " ".join(text.split())

    def write(self):
        """The configuration last: it is there only with its model."""
        self.path.write_bytes((self.folder / "model.safetensors").read_bytes())
        self.config.write_text(CONFIG.format(
            phrase=self.args.phrase, told=told(self.judged), model=self.path.resolve(), exits=self.course.exits,
            name=self.name, threshold=self.threshold), encoding="utf-8")


def prepare(folder):
    """Makes the folder of the results and sees that they can be written, before minutes go into them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise SystemExit(f"{folder}: {error.strerror}")


def run(args):
    begun = time.monotonic()
    engine.use(args.build)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.jobs)
    prepare(args.out)
    with tempfile.TemporaryDirectory(prefix="kws-keyword-") as folder:
        one = Run(args, pathlib.Path(folder))
        one.gather()
        one.train()
        if one.mine:
            one.train_with_recordings()
        one.write()
    print(f"threshold {one.threshold}: {told(one.judged)}")
    print(f"{one.path} and {one.config}: {(time.monotonic() - begun) / 60:.1f} minutes, {cpu_seconds() / 60:.1f} of one core")
