#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How ./dev eval-wake mixes and counts. Skips itself where a package is missing."""

import importlib
import pathlib
import sys
import tempfile
import unittest

try:
    import numpy
    import soundfile
    importlib.import_module("scipy")  # what is tested uses it
except ImportError as error:
    print(f"a Python package is missing: {error}")
    sys.exit(77)

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import wake_engines  # noqa: E402
import wake_score  # noqa: E402
from wake_score import Event, Tally  # noqa: E402
from wake_streams import Level, Noise, Word, spread  # noqa: E402

WORDS = [Word("alexa", 10.0, 10.75, True), Word("jarvis", 20.0, 20.5, True),
         Word("alexa", 30.0, 33.0, False)]
STREAM_S = 3600.0


class Counting(unittest.TestCase):
    def count(self, *times_s, label="alexa"):
        return wake_score.count(WORDS, label, times_s, STREAM_S)

    def test_hit_until_half_a_second_after_the_word(self):
        for time_s, found in ((9.999, 0), (10.0, 1), (10.75, 1), (11.25, 1), (11.251, 0)):
            tally = self.count(time_s)
            self.assertEqual((tally.found, tally.alarms), (found, 1 - found), time_s)

    def test_second_event_of_a_word(self):
        tally = self.count(10.6, 11.2, 30.5)
        self.assertEqual((tally.spoken, tally.found, tally.repeats, tally.alarms), (2, 2, 1, 0))

    def test_event_of_another_keyword(self):
        tally = self.count(20.3)
        self.assertEqual((tally.found, tally.alarms, tally.on_other_words), (0, 1, 1))
        tally = self.count(10.5, 20.3, label="jarvis")
        self.assertEqual((tally.found, tally.alarms, tally.on_other_words), (1, 1, 1))

    def test_before_the_first_and_after_the_last_word(self):
        tally = self.count(0.0, 3599.0)
        self.assertEqual((tally.found, tally.alarms, tally.on_other_words), (0, 2, 0))

    def test_hours_are_without_the_keyword(self):
        self.assertAlmostEqual(self.count().hours, (3600 - 1.25 - 3.5) / 3600)

    def test_delay_of_words_that_are_placed_surely(self):
        self.assertEqual(self.count(10.5, 31.0).delays_s, [-0.25])

    def test_rates(self):
        tally = Tally(hours=4.0, spoken=8, found=6, alarms=2)
        self.assertEqual((tally.miss_rate, tally.alarms_per_hour), (0.25, 0.5))
        pooled = tally + Tally(hours=6.0, spoken=2, found=0, alarms=3, delays_s=[0.5])
        self.assertEqual((pooled.miss_rate, pooled.alarms_per_hour), (0.4, 0.5))
        self.assertEqual(pooled.delays_s, [0.5])


class Curves(unittest.TestCase):
    def test_of_events_in_any_order(self):
        events = [Event("alexa", 0.9, 10.5), Event("alexa", 0.5, 31.0), Event("alexa", 0.5, 10.5),
                  Event("alexa", 0.5, 40.0), Event("jarvis", 0.5, 20.25)]
        curves = wake_score.curves(WORDS, events, (0.5, 0.9), STREAM_S)
        counts = {(label, threshold): (tally.found, tally.alarms)
                  for label, curve in curves.items() for threshold, tally in curve.items()}
        self.assertEqual(counts, {("alexa", 0.5): (2, 1), ("alexa", 0.9): (1, 0),
                                  ("jarvis", 0.5): (1, 0), ("jarvis", 0.9): (0, 0)})

    def test_choice_within_a_rate(self):
        curve = {0.2: Tally(2.0, 10, 9, alarms=4), 0.4: Tally(2.0, 10, 8, alarms=1),
                 0.6: Tally(2.0, 10, 8, alarms=1), 0.8: Tally(2.0, 10, 5, alarms=0)}
        self.assertEqual(wake_score.choose(curve, 2.0), 0.2)
        self.assertEqual(wake_score.choose(curve, 1.9), 0.6)  # of equals the highest
        self.assertEqual(wake_score.choose(curve, 0.1), 0.8)
        del curve[0.8]
        self.assertIsNone(wake_score.choose(curve, 0.1))

    def test_pooled(self):
        pooled = wake_score.add_curves([{0.5: Tally(1.0, 2, 1)}, {0.5: Tally(3.0, 2, 2)}])
        self.assertEqual(pooled, {0.5: Tally(4.0, 4, 3)})


class Intervals(unittest.TestCase):
    """Against tables: Garwood 1936, Clopper and Pearson 1934."""

    def assert_interval(self, interval, low, high):
        self.assertAlmostEqual(interval[0], low, 3)
        self.assertAlmostEqual(interval[1], high, 3)

    def test_of_a_rate(self):
        self.assert_interval(wake_score.poisson_interval(0, 1.0), 0.0, 3.689)
        self.assert_interval(wake_score.poisson_interval(1, 1.0), 0.025, 5.572)
        self.assert_interval(wake_score.poisson_interval(5, 2.0), 1.623 / 2, 11.668 / 2)

    def test_of_a_share(self):
        self.assert_interval(wake_score.share_interval(0, 10), 0.0, 0.3085)
        self.assert_interval(wake_score.share_interval(1, 10), 0.0025, 0.4450)
        self.assert_interval(wake_score.share_interval(10, 10), 0.6915, 1.0)


class PocketSphinx(unittest.TestCase):
    def test_its_output(self):
        text = ("alexa@3  snow@4 boy@4 \n"
                "alexa@3  5.620 5.880 0.773190\n"
                "snow@4 boy@4  4.850 5.100 0.784249\n"
                "\n")
        first, fourth = (wake_engines.SPHINX_THRESHOLDS[index] for index in (3, 4))
        self.assertEqual(wake_engines.parse_sphinx(text, ["alexa", "snowboy"]),
                         [Event("alexa", first, 5.88), Event("snowboy", fourth, 5.1)])


class Streams(unittest.TestCase):
    RATE_HZ = 16000

    def stream(self, snr_db, *parts):
        """What is written of parts of (pause, samples, power)."""
        hiss = numpy.random.default_rng(1).standard_normal(self.RATE_HZ).astype("float32")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "stream.flac")
            level = Level(path, snr_db, Noise([0.1 * hiss, 3 * hiss], 2), 3)
            for part in parts:
                level.append(*part)
            level.file.close()
            return soundfile.read(path)[0]

    def test_noise_is_as_loud_as_the_level_says(self):
        tone = (0.1 * numpy.sin(numpy.arange(3 * self.RATE_HZ) / 5)).astype("float32")
        for power, snr_db, noise in ((0.005, 10, 5e-4), (0.02, 0, 0.02), (0.005, None, 9e-8)):
            stream = self.stream(snr_db, (self.RATE_HZ, tone, power))
            self.assertEqual(len(stream), 4 * self.RATE_HZ)
            rest = stream[self.RATE_HZ:] - tone
            self.assertAlmostEqual((rest ** 2).mean() / noise, 1, delta=0.02)

    def test_noise_stays_where_nothing_is_said(self):
        silence = numpy.zeros(2 * self.RATE_HZ, "float32")
        stream = self.stream(10, (0, silence, 0.01), (1000, silence, None))
        self.assertAlmostEqual((stream[-self.RATE_HZ:] ** 2).mean() / 1e-3, 1, delta=0.02)

    def test_every_recording_once_and_spread(self):
        counts = {"speech": 100, "otherwords": 10, "noise": 4, "wakewords": 20}
        rows = {kind: list(range(count)) for kind, count in counts.items()}
        order = spread(rows)
        for kind, count in counts.items():
            self.assertEqual(sorted(row for other, row in order if other == kind),
                             list(range(count)))
        half = sum(kind == "wakewords" for kind, _ in order[:len(order) // 2])
        self.assertAlmostEqual(half, 10, delta=1)


if __name__ == "__main__":
    unittest.main()
