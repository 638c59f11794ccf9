#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several models in one kwsd and one `kws scan`, on one stream; one is swapped while they listen.

The second and third model are the first one's network under other names, so each word is heard by
all of them at the same place.
"""

import json
import pathlib
import subprocess

import harness
import numpy
from harness import constant_part
from renamed import rename

FRENCH = {"yes": "oui", "no": "non", "up": "haut", "down": "bas", "left": "gauche",
          "right": "droite", "go": "va", "stop": "arrêt"}
GERMAN = {"yes": "ja", "no": "nein", "up": "hoch", "down": "runter", "left": "links",
          "right": "rechts", "go": "los", "stop": "halt"}

def of_model(events, name):
    return [event for event in events if event["model"] == name]


class ModelsTest(harness.DaemonTest):
    @classmethod
    def setUpClass(cls):
        cls.samples = numpy.concatenate([harness.silence(1.2), harness.speech(*harness.WORDS)])

    def setUp(self):
        super().setUp()
        self.models = self.folder / "models"
        self.models.mkdir()
        self.commands = self.models / "commands.safetensors"
        self.commands.write_bytes(pathlib.Path(harness.MODEL).read_bytes())
        self.french = self.make("french", "french", FRENCH)
        self.german = self.make("german", "german", GERMAN)
        self.fed = 0
        self.messages = []

    def make(self, file, name, labels):
        path = self.models / f"{file}.safetensors"
        rename(pathlib.Path(harness.MODEL), path, name, labels)
        return path

    def write(self, *models, threshold=harness.THRESHOLD):
        self.write_config("[model]", f"path = {', '.join(map(str, models))}", "[audio]",
                          "source = stdin", "rate_hz = 16000", "channels = 1", "[ipc]",
                          "scores = yes", "level_ms = 100", "[detector]",
                          f"threshold = {threshold}")

    def start_with(self, *models, **settings):
        self.write(*models, **settings)
        self.daemon = self.start_bare("--config", str(self.config), stdin=subprocess.PIPE)
        self.subscriber = self.subscribe_surely("")

    def hear(self, samples, last_model):
        """Feeds the samples and waits until the last model has decided on all of them."""
        self.daemon.feed(samples)
        self.fed += len(samples)
        last = self.fed - self.fed % harness.BLOCK_SAMPLES - harness.WINDOW_SAMPLES
        last //= harness.HOP_SAMPLES
        self.messages += self.subscriber.until(
            lambda topic, event: topic == "kws.score" and event["hop"] == last and
            event["model"] == last_model, f"hop {last} of {last_model}")

    def assert_counted(self, found):
        """By the metrics, of the German model and the original."""
        lines = self.daemon.kwsctl("metrics").stdout.splitlines()
        for model, keywords in (("german", GERMAN.values()), ("commands", GERMAN)):
            names = [event["name"] for event in of_model(found, model)]
            for keyword in keywords:
                label = f'{{model="{model}",keyword="{keyword}"}}'
                self.assertIn(f"kwsd_detections_total{label} {names.count(keyword)}", lines)
                self.assertIn(f"kwsd_near_misses_total{label} 0", lines)

    def scan(self, *models):
        wav = self.folder / "words.wav"
        harness.write_wav(wav, self.samples)
        options = [word for model in models for word in ("--model", model)]
        done = subprocess.run(
            [harness.KWS, "scan", "--json", "--scores", *options,
             *harness.options(f"detector.threshold={harness.THRESHOLD}"), wav],
            stdout=subprocess.PIPE, check=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_keywords_of_both_in_one_stream(self):
        self.start_with(self.commands, self.french)
        self.hear(self.samples, "french")
        found = harness.detections(self.messages)
        ours = of_model(found, "commands")
        theirs = of_model(found, "french")
        self.assertEqual(harness.names(ours), list(harness.WORDS))
        self.assertEqual([event["name"] for event in theirs],
                         [FRENCH[event["name"]] for event in ours])
        for key in ("sample", "hop", "score", "exit", "entropy"):
            self.assertEqual([event[key] for event in theirs], [event[key] for event in ours])
        # In each hop the models come in their order.
        self.assertEqual([event["model"] for event in harness.scores(self.messages)],
                         ["commands", "french"] * (len(harness.scores(self.messages)) // 2))

    def test_scan_gives_the_same(self):
        self.start_with(self.french, self.commands)
        self.hear(self.samples, "commands")
        scanned = self.scan(self.french, self.commands)
        events = [event for topic, event in self.messages
                  if topic == "kws.score" or topic.startswith("kws.detection.")]
        self.assertEqual(constant_part(events), constant_part(scanned))
        for name, model in (("commands", self.commands), ("french", self.french)):
            self.assertEqual(constant_part(of_model(scanned, name)),
                             constant_part(self.scan(model)))

    def test_one_is_swapped_in_the_middle_of_a_word(self):
        """The one that stays misses no bit of it, the new one hears it from its beginning."""
        self.start_with(self.commands, self.french)
        middle = harness.RATE_HZ * 3 // 2
        self.hear(self.samples[:middle], "french")
        self.write(self.commands, self.german)
        harness.wait_for(lambda: str(self.german) in (self.daemon.get("model.path") or ""),
                         "the new model")
        self.hear(self.samples[middle:], "german")
        events = [event for topic, event in self.messages
                  if topic == "kws.score" or topic.startswith("kws.detection.")]
        self.assertEqual(constant_part(of_model(events, "commands")),
                         constant_part(self.scan(self.commands)))
        alone = harness.scores([("kws.score", event) for event in self.scan(self.german)
                                if "label" in event])
        heard = of_model(harness.scores(self.messages), "german")
        self.assertEqual(constant_part(heard), constant_part(alone[-len(heard):]))
        found = harness.detections(self.messages)
        words = [event["name"] for event in of_model(found, "commands")]
        self.assertEqual([event["name"] for event in of_model(found, "german")],
                         [GERMAN[word] for word in words])
        models = self.daemon.status()["network"]["models"]
        self.assertEqual([model["model"] for model in models], ["commands", "german"])
        self.assertEqual([model["detections"] for model in models], 2 * [len(words)])
        self.assertEqual(models[0]["hops"] - models[1]["hops"],
                         len(of_model(harness.scores(self.messages), "french")))

    def test_load_model(self):
        self.start_with(self.commands)
        done = self.daemon.kwsctl("load-model", "german", str(self.commands))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.daemon.get("model.path"), f"{self.german}, {self.commands}")
        listed = json.loads(self.daemon.kwsctl("models", "--json").stdout)
        self.assertEqual({model["name"]: model["current"] for model in listed},
                         {"commands": True, "french": False, "german": True})
        self.hear(self.samples, "commands")
        found = harness.detections(self.messages)
        for word in harness.WORDS:
            self.assertIn(("commands", word), [(event["model"], event["name"]) for event in found])
            self.assertIn(("german", GERMAN[word]),
                          [(event["model"], event["name"]) for event in found])
        network = self.daemon.status()["network"]
        self.assertEqual(network["model"], "german, commands")
        self.assertEqual(network["detections"], len(found))
        self.assert_counted(found)
        # neither a model that comes back nor another pipeline is counted anew
        for command in (("load-model", "french"), ("load-model", "german", str(self.commands)),
                        ("set", "model.hop_frames", "2")):
            self.assertEqual(self.daemon.kwsctl(*command).returncode, 0)
        self.assertEqual(self.daemon.status()["network"]["detections"], 0)
        self.assert_counted(found)

    def test_what_was_set_for_a_keyword_ends_with_its_model(self):
        self.start_with(self.commands)
        self.assertEqual(self.daemon.kwsctl(
            "set", "keyword yes.threshold", "0.9", "keyword stop.phrase", "stop it",
            "ipc.site", "hall").returncode, 0)
        done = self.daemon.kwsctl("load-model", "french", "junk")
        self.assertIn("junk.safetensors", done.stderr)
        self.assertEqual(float(self.daemon.get("keyword yes.threshold")), 0.9)
        done = self.daemon.kwsctl("set", "model.path", str(self.french), "keyword yes.threshold",
                                  "0.8")
        self.assertIn("[keyword yes]: the model 'french' does not know this keyword", done.stderr)
        done = self.daemon.kwsctl("load-model", "french")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for key in ("keyword yes.threshold", "keyword stop.phrase"):
            self.assertIn(f"{key}, which was set, ends", self.daemon.log())
        self.assertEqual(self.daemon.kwsctl("set", "keyword oui.threshold", "0.7").returncode, 0)
        done = self.daemon.kwsctl("load-model", "french", "commands")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(float(self.daemon.get("keyword oui.threshold")), 0.7)
        self.assertNotEqual(self.daemon.get("keyword yes.threshold"), "0.9")
        self.assertEqual(self.daemon.get("ipc.site"), "hall")
        # a section of the file is its owner's to take out
        self.write_config(self.config.read_text(encoding="utf-8"), "[keyword yes]",
                          "patience_hops = 7")
        harness.wait_for(lambda: self.daemon.get("keyword yes.patience_hops") == "7", "the section")
        done = self.daemon.kwsctl("load-model", "french")
        self.assertIn("[keyword yes]: the model 'french' does not know this keyword", done.stderr)

    def test_what_does_not_go_together_is_refused_and_nothing_changes(self):
        self.start_with(self.commands, self.french)
        path = self.daemon.get("model.path")
        twin = self.make("twin", "twin", {})
        namesake = self.make("namesake", "commands", GERMAN)
        junk = self.models / "junk.safetensors"
        junk.write_bytes(b"no model")
        for wanted, sentences in (
                (("commands", "twin"), (str(self.commands), str(twin), "'yes'")),
                (("commands", "namesake"), (str(self.commands), str(namesake), "named")),
                (("commands", "commands"), ("both named 'commands'",)),
                (("german", "junk"), (str(junk),)),
                (("german", "missing"), ("missing.safetensors",)),
                (("german", "a,b"), ("comma",)),
                (("german", ""), ("names or paths",)),
                (9 * ("german",), ("more than 8 paths",)),
                (9 * (f"/{200 * 'x'}",), ("longer than 1023 bytes",))):
            with self.subTest(wanted):
                done = self.daemon.kwsctl("load-model", *wanted)
                self.assertEqual(done.returncode, 1)
                for sentence in sentences:
                    self.assertIn(sentence, done.stderr)
        done = self.daemon.kwsctl("set", "keyword hello.threshold", "0.5")
        self.assertIn("none of the models knows this keyword", done.stderr)
        self.assertEqual(self.daemon.get("model.path"), path)
        self.hear(self.samples, "french")
        events = [event for topic, event in self.messages if topic == "kws.score"]
        self.assertEqual(constant_part(of_model(events, "commands")), constant_part(
            event for event in self.scan(self.commands) if "label" in event))

    def test_thresholds_that_the_models_bring(self):
        """They are used where the configuration has none."""
        for model, word, threshold in ((self.commands, "yes", 0.3), (self.french, "droite", 0.25)):
            subprocess.run(["/usr/bin/python3", harness.ROOT / "train/set_exits.py", model, "--kws",
                            harness.KWS, "--keywords", json.dumps({word: {"threshold": threshold}})],
                           check=True)
        self.start_with(self.commands, self.french, threshold="model")
        self.hear(self.samples, "french")
        asked = {event["name"]: event["threshold"]
                 for event in harness.detections(self.messages)}
        self.assertEqual((asked.pop("yes"), asked.pop("droite")), (0.3, 0.25))
        self.assertLessEqual(set(asked.values()), {0.8})
        done = self.daemon.kwsctl("set", "keyword yes.threshold", "0.4")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.messages.clear()
        self.hear(self.samples, "french")
        self.assertIn(("yes", 0.4), [(event["name"], event["threshold"])
                                     for event in harness.detections(self.messages)])
        info = subprocess.run([harness.KWS, "info", self.commands], stdout=subprocess.PIPE,
                              check=True, text=True).stdout
        self.assertIn("\n  thresholds yes 0.3\n", info)

    def test_tools_for_one_model_refuse_a_list(self):
        wav = self.folder / "words.wav"
        harness.write_wav(wav, self.samples)
        for tool in ("tune", "classify"):
            done = subprocess.run(
                [harness.KWS, tool, *harness.options(f"model.path={self.commands},{self.french}"),
                 wav], stderr=subprocess.PIPE, stdout=subprocess.PIPE, check=False, text=True)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("2 models, and this tool works on one at a time", done.stderr)


if __name__ == "__main__":
    harness.main()
