#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""train/keyword: its pieces, and the whole way from a phrase to a model that kws takes, with as little effort as there is.

    test_keyword.py KWS

Skips itself where there is no PyTorch or no espeak-ng."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import soundfile
    import torch
except ImportError:
    sys.exit(77)
if shutil.which("espeak-ng") is None:
    sys.exit(77)

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "train"))
from kwstrain import reference, synth  # noqa: E402
from kwstrain.data import HELD_OUT, KEYWORDS  # noqa: E402
from kwstrain.safetensors import load, save  # noqa: E402
from kwstrain.voices import cast, espeak, flite, phonemes  # noqa: E402
from kwstrain.voices.near import near_misses  # noqa: E402
from kwstrain.voices.speaker import Speaker  # noqa: E402
from kwsword import engine, network, phrase, recordings, texts  # noqa: E402
from kwsword.options import options  # noqa: E402
from kwsword.run import run  # noqa: E402

MODEL = ROOT / "models" / "commands.safetensors"
WAKE = ROOT / "models" / "wake.safetensors"  # it brings thresholds of keywords that the new one has not
KWS = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else ROOT / "build" / "cli" / "kws"
BUILD = KWS.parents[1]


def keyword(*arguments):
    return subprocess.run([ROOT / "train" / "keyword", "--build", BUILD, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


class Phrases(unittest.TestCase):
    def test_names(self):
        self.assertEqual(phrase.name_of("  Hey  Raspberry "), "hey_raspberry")
        self.assertEqual(phrase.name_of("Gro\u0308ße"), "größe")
        self.assertEqual(phrase.name_of("Don't go, Mr. Spock!"), "don_t_go_mr_spock")
        self.assertEqual(phrase.name_of("नमस्ते"), "नमस्ते")
        for bad in ("", "?!", "_x", "a]b", "a/b", "a;b", "a\nb", "ß" * 32):
            with self.assertRaises(SystemExit):
                phrase.name_of(bad)

    def test_near_misses_are_none(self):
        for text, language in (("hey raspberry", "en-us"), ("happy", "en-us"), ("größe", "de")):
            words = phrase.phonemes_of(text, language)
            vocabulary = texts.Vocabulary(language, words)
            misses = near_misses(words, vocabulary.spoken(), random.Random(1), 200)
            self.assertEqual(len(misses), 200)
            self.assertGreater(len({phonemes.text_of(miss) for miss in misses}), 60)
            self.assertFalse(any(phonemes.contains(miss, words) for miss in misses))

    def test_a_phrase_among_others_is_heard(self):
        words = phrase.phonemes_of("happy", "en-us")
        self.assertTrue(phonemes.contains(phrase.phonemes_of("a happy dog", "en-us"), words))
        self.assertTrue(phonemes.contains(phrase.phonemes_of("unhappiness", "en-us"), words))
        self.assertFalse(phonemes.contains(phrase.phonemes_of("a hoppy dog", "en-us"), words))
        self.assertNotIn("happy", texts.Vocabulary("en-us", words).names)

    def test_words_of_a_text(self):
        """Vowel signs, decomposed umlauts and apostrophes do not end a word."""
        self.assertEqual(texts.words_in("Die Gro\u0308ße, die 'Gr\u00f6ße' 42_mal"), ["Die", "Größe", "die", "mal"])
        self.assertEqual(texts.words_in("l'heure, don\u2019t! ''"), ["don't", "l'heure"])
        self.assertEqual(texts.words_in("नमस्ते दुनिया।"), ["दुनिया", "नमस्ते"])

    def test_a_number_is_a_word_as_well(self):
        """What is spoken is the phrase, however it is written."""
        words = phrase.phonemes_of("seven", "en-us")
        vocabulary = texts.Vocabulary("en-us", words)
        self.assertTrue({"6", "100"} < set(vocabulary.numbers))
        self.assertFalse({"7", "17", "700"} & set(vocabulary.numbers) or set(vocabulary.numbers) & set(vocabulary.names))
        rng = random.Random(1)
        sentences = [vocabulary.sentence(rng) for _ in range(200)]
        self.assertTrue(any(letter.isdigit() for sentence in sentences for letter in sentence))
        for sentence, line in zip(sentences, espeak.phonemes_of_each(sentences, "en-us")):
            self.assertFalse(phonemes.contains(line, words), sentence)

    def test_no_voice_trains_and_judges(self):
        train, check = cast.casts("en", random.Random(1))
        self.assertFalse(set(train.espeak) & set(check.espeak) or set(train.flite) & set(check.flite))
        self.assertGreater(len(train.espeak), 300)
        with self.assertRaisesRegex(SystemExit, "no voice of language 'xx'"):
            espeak.voices("xx")


class CommandWords(unittest.TestCase):
    def test_other_words_sound_like_none_of_those_to_tell(self):
        real, made_up = synth.vocabulary(random.Random(1), 300)
        self.assertGreater(len(real), 500)
        self.assertGreater(len(made_up), 200)
        self.assertFalse((set(real) | set(made_up)) & (set(KEYWORDS) | HELD_OUT | {"computer", "mirror", "know"}))


class Flite(unittest.TestCase):
    def setUp(self):
        if shutil.which("flite") is None:
            self.skipTest("no flite")

    def test_it_speaks_english_only(self):
        self.assertEqual(flite.voices("en-us"), sorted(flite.PITCH_HZ))
        self.assertEqual(cast.casts("de", random.Random(1))[0].flite, [])

    def test_half_of_what_is_said_is_its(self):
        speakers = cast.casts("en", random.Random(1))[0].speakers(random.Random(1))
        programs = [next(speakers).program for _ in range(400)]
        self.assertAlmostEqual(programs.count(flite.PROGRAM) / 400, cast.FLITE_SHARE, delta=0.1)

    def test_it_says_only_what_it_can_spell(self):
        """Of "café" it says "caf"."""
        both = cast.casts("en", random.Random(1))[0]
        parts = both.parts(["café", "coffee"] * 100, random.Random(1))
        self.assertEqual([text for text, _ in parts], ["café", "coffee"] * 100)
        self.assertEqual({speaker.program for text, speaker in parts if text == "café"}, {espeak.PROGRAM})
        self.assertEqual({speaker.program for text, speaker in parts if text == "coffee"}, {espeak.PROGRAM, flite.PROGRAM})

    def test_rate_and_size_of_the_throat(self):
        """A longer throat, with the same rate, is no slower; twice the rate is half as long."""
        def seconds(rate, formants):
            return len(cast.speak("raspberry", Speaker(flite.PROGRAM, "slt", rate, 50, formants))) / 16000

        usual = seconds(165, 1.0)
        self.assertTrue(0.3 < usual < 1.2, usual)
        self.assertAlmostEqual(seconds(165, 0.85), usual, delta=0.1)
        self.assertAlmostEqual(seconds(330, 1.0), usual / 2, delta=0.15)

    def test_a_word_is_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "raspberry").write_text("something else, and much longer than that")
            here = pathlib.Path.cwd()
            os.chdir(folder)
            try:
                self.assertLess(len(cast.speak("raspberry", Speaker(flite.PROGRAM, "slt", 165, 50, 1.0))), 19200)
            finally:
                os.chdir(here)


class NoFlite(unittest.TestCase):
    def test_it_is_told(self):
        """Of English only, and the rest goes on: here to the next thing that is wrong."""
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "espeak-ng").symlink_to(shutil.which("espeak-ng"))
            for language, told in (("en", True), ("de", False)):
                done = subprocess.run([sys.executable, ROOT / "train" / "keyword", "--build", BUILD, "--out", folder, "--language",
                                       language, "--recordings", folder + "/none", "happy"], env={**os.environ, "PATH": folder},
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                self.assertEqual("flite is missing" in done.stdout, told, done.stdout + done.stderr)
                self.assertIn("no such folder", done.stderr)


class Recordings(unittest.TestCase):
    def test_the_loudest_is_found(self):
        rng = np.random.default_rng(1)
        samples = rng.normal(0, 60, 48000)
        samples[4000:4400] += rng.normal(0, 4000, 400)  # a click
        samples[20000:30000] += rng.normal(0, 3000, 10000)
        samples[24000:25600] /= 50  # a pause within
        begin, end = recordings.find(samples.astype(np.int16))
        self.assertLess(abs(begin - 20000), 800)
        self.assertLess(abs(end - 30000), 800)

    def test_noise_alone_is_no_phrase(self):
        self.assertIsNone(recordings.find(np.random.default_rng(1).normal(0, 500, 48000).astype(np.int16)))
        self.assertIsNone(recordings.find(np.zeros(100, np.int16)))


class Judging(unittest.TestCase):
    @staticmethod
    def stream(*spoken_s):
        """Ten seconds of it."""
        return engine.Stream(None, np.zeros(160000, np.int16), [(int(16000 * a), int(16000 * b)) for a, b in spoken_s])

    def test_no_hours_of_false_alarms_where_none_is_counted(self):
        def quiet_s(*spoken_s):
            return self.stream(*spoken_s).quiet_hours * 3600

        self.assertAlmostEqual(quiet_s(), 10)
        self.assertAlmostEqual(quiet_s((1, 2)), 10 - 1.75)
        self.assertAlmostEqual(quiet_s((1, 2), (2.5, 3), (9, 9.5)), 10 - 2.75 - 1)

    def test_what_counts(self):
        detected = [int(second * 16000) for second in (0.5, 1.5, 2.7, 2.8)]
        found, spoken, alarms, hours = engine.judge([self.stream((1, 2), (8, 9))], [detected])
        self.assertEqual((found, spoken, alarms), (1, 2, 2))
        self.assertAlmostEqual(3600 * hours, 10 - 2 * 1.75)


class Network(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.manual_seed(1)
        cls.model = network.Model(MODEL)
        cls.trunk = network.Trunk(cls.model).eval()
        cls.tail = network.Tail(cls.trunk, 3).eval()
        vectors, _ = load(MODEL.with_suffix(".vectors.safetensors"))
        cls.windows = vectors["windows"]

    def test_the_graph_computes_the_same(self):
        ops, new = self.tail.graph(self.model.kept)
        with torch.no_grad():
            wanted = torch.stack(self.tail(*self.trunk(torch.from_numpy(self.windows.copy())[:, None])), dim=1).numpy()
        got = np.stack([reference.run(ops, {**self.model.tensors, **new}, window) for window in self.windows])
        self.assertEqual(got.shape, (len(self.windows), 3, 3))
        self.assertLess(np.abs(got - wanted).max(), 1e-4)

    def test_the_engine_computes_the_graph(self):
        """Every row in whole windows and in a stream: the hidden layer's means have a stride that no hop is a multiple of."""
        ops, new = self.tail.graph(self.model.kept)
        logits = np.stack([reference.run(ops, {**self.model.tensors, **new}, window) for window in self.windows])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "own.safetensors"
            self.model.save(path, ops, new, {"kws.name": "a", "kws.card": "of a test",
                                             "kws.labels": json.dumps(["a", "_unknown_", "_silence_"])})
            save(path.with_suffix(".vectors.safetensors"), {"windows": self.windows, "logits": logits}, {})
            for program in ("test-vectors", "test-streaming"):
                done = subprocess.run([BUILD / "tests" / program, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True)
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_windows_of_a_stretch_are_windows(self):
        x = torch.randn(2, 1, 114, 64)
        means, parts = self.trunk(x)
        for i in range(3):
            alone = self.trunk(x[:, :, 8 * i : 8 * i + 98])
            self.assertTrue(torch.allclose(means[i::3], alone[0], atol=1e-4))
            self.assertTrue(torch.allclose(parts[i::3], alone[1], atol=1e-4))

    def test_what_is_no_model_is_refused(self):
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            file.write(b"12345678901")
            file.flush()
            with self.assertRaisesRegex(SystemExit, "not a model of kwsd"):
                network.Model(file.name)

    def test_another_network_is_refused(self):
        with self.assertRaisesRegex(SystemExit, "cannot train from a network"):
            network.Model(ROOT / "tests" / "data" / "tiny-quicknet.safetensors")


class Whole(unittest.TestCase):
    """A German word with letters beyond ASCII, with recordings of it, and speech and noise to tell it from."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.scratch.name)
        for name, count, text in (("mine", 3, "größe"), ("speech", 2, "guten morgen, wie geht es dir heute"), ("noise", 1, None)):
            (folder / name).mkdir()
            for i in range(count):
                samples = (np.random.default_rng(i).normal(0, 900, 16000).astype(np.int16) if text is None else
                           cast.speak(text, Speaker(espeak.PROGRAM, "de+f2", 150, 40 + 10 * i, 1.0)))
                soundfile.write(folder / name / f"{i}.wav", np.pad(samples, 8000), 16000)
        cls.folder, cls.model, cls.config = folder, folder / "größe.safetensors", folder / "größe.conf"
        cls.done = keyword("größe", "--language", "de", "--effort", "0.005", "--jobs", "1", "--out", folder, "--from", WAKE,
                           "--recordings", folder / "mine", "--speech", folder / "speech", "--noise", folder / "noise")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def test_it_is_done(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        self.assertIn("of your recordings kept apart:", self.done.stdout)

    def test_the_rest_of_the_network_is_the_same(self):
        old, _ = load(WAKE)
        new, metadata = load(self.model)
        self.assertEqual(json.loads(metadata["kws.labels"]), ["größe", "_unknown_", "_silence_"])
        ops = json.loads(metadata["kws.graph"])
        shipped = network.Model(WAKE)
        self.assertEqual(ops[: len(shipped.kept)], shipped.kept)
        kept = {op[key] for op in shipped.kept if op["op"] != "exit"
                for key in ("weight", "bias", "slope", "scale", "threshold") if key in op}
        self.assertGreater(len(kept), 20)
        for name in kept:
            self.assertEqual(new[name].tobytes(), old[name].tobytes(), name)
        for name in (op["weight"] for op in ops if op["op"] == "exit"):
            self.assertFalse(name in old and np.array_equal(new[name], old[name]), name)

    def test_kws_takes_the_model(self):
        done = subprocess.run([KWS, "info", self.model], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertIn("größe _unknown_ _silence_", done.stdout)

    def test_kws_takes_the_configuration(self):
        wav = self.folder / "mine" / "0.wav"
        done = subprocess.run([KWS, "scan", "--config", self.config, "--scores", wav], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("hop", done.stdout)

    def test_an_old_file_stays(self):
        before = self.model.read_bytes()
        done = keyword("größe", "--out", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("exists", done.stderr)
        self.assertEqual(self.model.read_bytes(), before)


class Refused(unittest.TestCase):
    def test_in_one_sentence(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments, said in (
                    (["open the door of the garage for me please"], "only the last second is heard"),
                    (["happy", "--language", "xx"], "no voice of language 'xx'"),
                    (["happy", "--recordings", folder], "no recordings in it"),
                    (["happy", "--speech", folder + "/none"], "no such folder"),
                    (["happy", "--from", __file__], "not a model of kwsd"),
                    (["happy", "--text", folder + "/none"], "No such file"),
                    (["happy", "--build", folder], "run ./dev build first"),
                    (["happy", "--out", __file__ + "/results"], "results: Not a directory"),
                    (["[x]"], "cannot name a keyword")):
                with self.assertRaises(SystemExit) as refused:
                    run(options(["--build", str(BUILD), "--effort", "0.005", "--out", folder, *arguments]))
                self.assertRegex(str(refused.exception), said)
                self.assertNotIn("\n", str(refused.exception))
                self.assertEqual(list(pathlib.Path(folder).iterdir()), [])


if __name__ == "__main__":
    unittest.main()
