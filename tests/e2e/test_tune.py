#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `kws tune` predicts is what a kwsd with its configuration does on the same audio."""

import json
import os
import resource
import signal
import subprocess
import xml.etree.ElementTree

import harness
import numpy

OTHER_WORDS = ("seven", "house", "window")
PAUSE_S = 1.2  # after each word of harness.speech()
PLAY_S = 60


class TuneTest(harness.DaemonTest):
    @classmethod
    def setUpClass(cls):
        pieces, cls.labels, at = [harness.silence(1.5)], [], 1.5
        for word in harness.WORDS + OTHER_WORDS[:2] + harness.WORDS:
            samples = harness.speech(word)
            seconds = len(samples) / harness.RATE_HZ
            if word in harness.WORDS:
                cls.labels.append((at, at + seconds - PAUSE_S, word))
            pieces.append(samples)
            at += seconds
        cls.stream = numpy.concatenate(pieces)
        cls.background = numpy.concatenate(
            [harness.silence(1.5), harness.speech(*OTHER_WORDS), harness.silence(1.0)])

    def setUp(self):
        super().setUp()
        self.wav = self.folder / "stream.wav"
        self.noise = self.folder / "background.wav"
        self.tuned = self.folder / "tuned.conf"
        harness.write_wav(self.wav, self.stream)
        harness.write_wav(self.noise, self.background)
        self.write_labels(self.wav.with_suffix(".tsv"), self.labels)

    def write_labels(self, path, labels):
        lines = [f"{begin:.3f}\t{end:.3f}\t{word}\n" for begin, end, word in labels]
        path.write_text("start\tend\tlabel\n" + "".join(lines), encoding="utf-8")

    def tune(self, *arguments, status=0, model=("--model", harness.MODEL), **options):
        done = subprocess.run([harness.KWS, "tune", *model, *map(str, arguments)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace", check=False, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def run_daemon(self, audio):
        """The detections of a kwsd with the tuned configuration, and its status at the end."""
        subscriber = self.subscribe("kws.detection.", "kws.state")
        daemon = self.start_bare("--config", str(self.tuned), *harness.options(
            "audio.source=file", f"audio.path={audio}"))
        messages = subscriber.until_state("ended", PLAY_S)
        self.assertEqual(daemon.wait(), 0)
        return [(event["name"], event["sample"]) for event in harness.detections(messages)]

    def predicted(self, report, audio):
        return [(event["name"], event["sample"]) for event in report["detections"]
                if event["file"] == str(audio)]

    def test_kwsd_does_what_was_predicted(self):
        report = json.loads(self.tune(
            "--json", "--write", self.tuned, "--policy", "difference", "--policy", "always-2",
            "--stream", self.wav, self.noise).stdout)
        figures = [report["tuned"][half] for half in ("search", "check")]
        self.assertEqual(sum(half["spoken"] for half in figures), len(self.labels))
        found = sum(half["found"] + half["wrong"] + half["false_alarms"] for half in figures)
        self.assertEqual(found, len(report["detections"]))
        self.assertGreater(sum(half["found"] for half in figures), 0)
        for audio in (self.wav, self.noise):
            with self.subTest(audio=audio.name):
                self.assertEqual(self.run_daemon(audio), self.predicted(report, audio))

    def test_clips_and_record(self):
        folder = self.folder / "clips"
        folder.mkdir()
        rows = ["path\tword\tspeaker\tsplit\n"]
        for index, word in enumerate(harness.WORDS + OTHER_WORDS[:2]):
            harness.write_wav(folder / f"{word}.wav", harness.speech(word))
            rows += [f"clips/{word}.wav\t{word}\tspeaker{index}\tval\n",
                     f"clips/missing.wav\t{word}\tspeaker{index}\ttrain\n"]
        table = self.folder / "list.tsv"
        table.write_text("".join(rows), encoding="utf-8")
        report = json.loads(self.tune(
            "--json", "--clips", table, "--split", "val", "--policy", "always-1",
            "--set", "audio.source=file", "--set", f"audio.path={self.noise}",
            "--record", "0.02").stdout)
        halves = [report["tuned"][half] for half in ("search", "check")]
        self.assertEqual(sum(half["spoken"] for half in halves), len(harness.WORDS))
        # 1.2 s of the file are one window and five hops more
        self.assertEqual(sum(half["hops"] for half in halves), 6)

    def test_both_halves_have_keywords(self):
        word = harness.WORDS[0]
        for name in (word, OTHER_WORDS[0]):
            harness.write_wav(self.folder / f"{name}.wav", harness.speech(name))
        table = self.folder / "list.tsv"
        for names, speaker in (((word, word, word), "\tann"), ((word, OTHER_WORDS[0]) * 2, ""),
                               ((OTHER_WORDS[0], word) * 2, "")):
            with self.subTest(names=names):
                rows = [f"{name}.wav\t{name}{speaker}\n" for name in names]
                table.write_text("path\tword\tspeaker\n" + "".join(rows), encoding="utf-8")
                done = self.tune("--json", "--clips", table, "--policy", "always-1")
                halves = json.loads(done.stdout)["tuned"]
                self.assertEqual([halves[half]["spoken"] for half in ("search", "check")],
                                 [names.count(word) - 1, 1])
                self.assertEqual("too few speakers" in done.stderr, speaker != "")

    def test_tells_words_that_look_like_a_keyword(self):
        word = harness.WORDS[0]
        sentence = f"'{word.upper()}': no keyword of this model, which has '{word}', so taken as other speech\n"
        table = self.folder / "list.tsv"
        harness.write_wav(self.folder / "word.wav", harness.speech(word))
        table.write_text("".join(f"word.wav\t{name}\n" for name in (word, word, word.title(), word.upper(), "other", "_unknown_")),
                         encoding="utf-8")
        done = self.tune("--clips", table, "--policy", "always-1")
        self.assertIn(f"{table}: 2 like {sentence}", done.stderr)
        self.assertEqual(done.stderr.count("no keyword of this model"), 1)
        labels = self.wav.with_suffix(".tsv")
        self.write_labels(labels, [(*times, name.upper() if name == word else name) for *times, name in self.labels])
        done = self.tune("--stream", self.wav, "--policy", "always-1")
        self.assertIn(f"{labels}: {sum(name == word for *_, name in self.labels)} like {sentence}", done.stderr)

    def test_a_keyword_that_is_not_enabled_cannot_be_missed(self):
        word = harness.WORDS[0]
        arguments = ("--policy", "always-1", "--set", f"keyword {word}.enabled=no", "--stream", self.wav, self.noise)
        halves = json.loads(self.tune("--json", *arguments).stdout)["tuned"].values()
        self.assertEqual(sum(half["spoken"] for half in halves),
                         sum(label != word for _, _, label in self.labels))
        self.assertRegex(self.tune(*arguments).stdout, f"(?m)^{word} +disabled$")

    def test_report_and_curves(self):
        done = self.tune("--draw", self.folder / "curves", "--policy", "entropy",
                         "--stream", self.wav, self.noise)
        self.assertIn("95 % interval", done.stdout)
        self.assertNotIn("not checked", done.stdout)
        self.assertIn("entropy", done.stdout)
        for name in ("keywords", "policies"):
            root = xml.etree.ElementTree.parse(self.folder / f"curves-{name}.svg").getroot()
            texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
            self.assertIn("false alarms per hour" if name == "keywords" else
                          "operations per hop, million", texts)

    def test_keywords_that_nobody_speaks_are_not_told_as_found(self):
        arguments = ("--policy", "always-2", "--stream", self.wav, "--check", self.noise)
        done = self.tune("--draw", self.folder / "curves", *arguments)
        self.assertRegex(done.stdout, r"(?m)^always-2( +\d+\.\d+){3} +- +- +\d")
        self.assertIn("whether any are missed was not checked.\n", done.stdout)
        root = xml.etree.ElementTree.parse(self.folder / "curves-policies.svg").getroot()
        self.assertEqual([], list(root.iter("{http://www.w3.org/2000/svg}circle")))
        check = json.loads(self.tune("--json", *arguments).stdout)["tuned"]["check"]
        self.assertEqual((check["spoken"], check["found"], check["wrong"]), (0, 0, 0))
        self.assertNotIn("miss_rate", check)

    def test_the_last_exit_in_every_hop_is_all_of_the_operations(self):
        arguments = ("--policy", "always-5", "--stream", self.wav, self.noise)
        report = json.loads(self.tune("--json", *arguments).stdout)
        policy = report["policies"][0]
        for half in ("search", "check"):
            self.assertEqual(policy["outcomes"][policy["best"]][half]["operations_per_hop"],
                             report["full_operations_per_hop"][half])
        self.assertNotEqual(*report["full_operations_per_hop"].values())
        row = next(line for line in self.tune(*arguments).stdout.splitlines() if line.startswith("always-5"))
        self.assertEqual(row.split()[2], "100.0")

    def assert_refused(self, sentence, *arguments, status=1, **options):
        done = self.tune(*arguments, status=status, **options)
        last = done.stderr.strip().splitlines()[-1]
        self.assertIn(sentence, last)
        self.assertFalse(self.tuned.exists())
        return done.stderr

    def test_bad_input(self):
        self.assert_refused("no labels", "--stream", self.noise)
        self.assert_refused("No such file", self.folder / "nothing.wav", "--stream", self.wav)
        self.assert_refused("the path is not UTF-8", "--json", "--stream", self.folder / os.fsdecode(b"\xff.wav"))
        self.assert_refused("has a keyword of the model in it", self.noise)
        self.assert_refused("has a keyword of the model in it", "--check", "--stream", self.wav)
        self.assert_refused("no such policy", "--policy", "magic", self.noise, status=2)
        self.assert_refused("not a number", "--penalty", "much", self.noise, status=2)
        self.assert_refused("rate above 0", "--false-alarms-per-hour", "0", self.noise, status=2)
        labels = self.wav.with_suffix(".tsv")
        self.write_labels(labels, [(5, 4, "yes")])
        self.assert_refused("stream.tsv:2: the end is not after the start", "--stream", self.wav)
        self.write_labels(labels, [(1, 2, "yes"), (0, 1, "yes")])
        self.assert_refused("stream.tsv:3: it begins before", "--stream", self.wav)
        labels.write_text("now\tthen\n", encoding="utf-8")
        self.assert_refused("line 1: there is no label", "--stream", self.wav)
        labels.write_bytes(b"\0\1")
        self.assert_refused("it is no text", "--stream", self.wav)

    def test_refused_before_an_hour_is_recorded(self):
        record = ("--set", "audio.source=null", "--record", "60")
        self.assertNotIn("reading", self.assert_refused("give --clips or --stream", *record))
        self.assertNotIn("reading", self.assert_refused("give --clips or --stream", self.noise,
                                                        *record))
        harness.write_wav(self.folder / "word.wav", harness.speech(OTHER_WORDS[0]))
        table = self.folder / "list.tsv"
        table.write_text(f"path\tword\nword.wav\t{OTHER_WORDS[0]}\n", encoding="utf-8")
        told = self.assert_refused("has a keyword of the model in it", *record, "--clips", table)
        self.assertNotIn("reading the audio source", told)

    def test_output_that_cannot_be_written_is_told_before_the_work(self):
        missing, no_folder = self.folder / "missing" / "tuned", self.wav / "tuned"
        (self.folder / "taken-policies.svg").mkdir()
        (self.folder / "link").symlink_to(missing)
        for sentence, *output in (
                ("tuned: No such file", "--write", missing), ("tuned: Not a directory", "--write", no_folder),
                (": No such file", "--write", ""), ("link: exists already", "--write", self.folder / "link"),
                ("tuned-keywords.svg: No such file", "--draw", missing),
                ("tuned-keywords.svg: Not a directory", "--draw", no_folder),
                ("taken-policies.svg: Is a directory", "--draw", self.folder / "taken")):
            with self.subTest(output):
                self.assertNotIn("reading", self.assert_refused(sentence, *output, "--stream", self.wav))

    def test_settings_that_no_file_can_hold_are_told_before_the_work(self):
        long = self.folder / ("x" * 200)
        long.symlink_to(harness.MODEL)
        for settings, sentence in ((("--set", "ipc.site=kitchen ; left"), "[ipc].site: 'kitchen ; left' cannot stand"),
                                   (("--set", f"model.path={long}"), "[model].path: ")):
            with self.subTest(settings):
                told = self.assert_refused(sentence, *settings, "--write", self.tuned, "--stream", self.wav)
                self.assertNotIn("reading", told)
        done = self.tune("--set", f"model.path={long}", "--policy", "always-1", "--stream", self.wav)
        self.assertIn("Best for penalty", done.stdout)

    def test_curves_that_cannot_be_drawn_leave_the_configuration(self):
        (self.folder / "curves-keywords.svg").symlink_to("/dev/full")
        done = self.tune("--write", self.tuned, "--draw", self.folder / "curves", "--policy", "always-1",
                         "--stream", self.wav, status=1)
        self.assertIn("curves-keywords.svg: cannot write", done.stderr)
        self.assertIn("policy = always-1", self.tuned.read_text(encoding="utf-8"))

    def test_the_model_is_found_from_every_folder(self):
        folder = self.folder / "models"
        folder.mkdir()
        (folder / "mine.safetensors").symlink_to(harness.MODEL)
        self.write_config("[model]", "path = ../models/mine.safetensors", "hop_frames = 5")
        for model, written in (
                (("--model", "mine.safetensors"), folder / "mine.safetensors"),
                (("--set", "model.path=../models/mine.safetensors"), folder / "../models/mine.safetensors"),
                (("--config", self.config), folder / "../models/mine.safetensors"),
                (("--model", folder / "mine.safetensors"), folder / "mine.safetensors")):
            with self.subTest(model):
                self.tune("--write", self.tuned, "--policy", "always-1", "--stream", self.wav, model=model,
                          cwd=folder)
                self.assertIn(f"[model]\npath = {written}\n", self.tuned.read_text(encoding="utf-8"))
                subprocess.run([harness.KWSD, "--check-config", "--config", self.tuned, "--set", "audio.source=null"],
                               cwd="/", stdout=subprocess.DEVNULL, check=True)
                self.tuned.unlink()
        for name, sentence in (("a, b", "a comma"), ("a ;b", "cannot stand in a file")):
            (folder / name).mkdir()
            told = self.assert_refused(sentence, "--write", self.tuned, "--stream", self.wav,
                                       model=("--model", "../mine.safetensors"), cwd=folder / name)
            self.assertNotIn("reading", told)

    def test_a_full_disk_leaves_no_half_configuration(self):
        def limit():  # in place of a full disk
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        done = self.tune("--write", self.tuned, "--policy", "always-1", "--stream", self.wav, status=1,
                         preexec_fn=limit)
        self.assertIn(f"kws: {self.tuned}: File too large", done.stderr)
        self.assertFalse(self.tuned.exists())

    def test_an_existing_file_is_kept(self):
        self.tuned.write_text("mine", encoding="utf-8")
        done = self.tune("--write", self.tuned, "--stream", self.wav, status=1)
        self.assertIn("exists already", done.stderr)
        self.assertEqual(self.tuned.read_text(encoding="utf-8"), "mine")


if __name__ == "__main__":
    harness.main()
