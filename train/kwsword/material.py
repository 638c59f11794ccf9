"""Has synthetic voices speak all that a phrase's training needs, and reads the user's recordings."""
from kwstrain.data import RATE
from kwstrain.voices import espeak
from kwstrain.voices.cast import casts, speak, speak_all
from kwstrain.voices.near import near_misses
from kwstrain.voices.phonemes import text_of
from kwstrain.voices.speaker import Speaker

from . import phrase, recordings, sounds, texts
from .examples import Material

PHRASES, NEAR, SENTENCES = 1200, 1200, 500  # utterances to train with
CHECK_PHRASES, CHECK_SENTENCES = 120, 250  # and to judge with
SPEECH_HOURS, CHECK_SPEECH_HOURS = 2.0, 1.0  # of the user's, to train with and to judge with
HELD_OUT = 5  # one part in so many of the user's speech judges
TOO_LONG_S = 1.2


def _utterances(texts_and_speakers, jobs, title):
    return [samples for _, samples in speak_all(texts_and_speakers, jobs, title)]


def check_length(text, voice, words):
    """Refuses what takes too long to say; warns of what is too short to tell apart."""
    seconds = len(speak(text, Speaker(espeak.PROGRAM, voice, 160, 50, 1.0))) / RATE
    if seconds > TOO_LONG_S:
        raise SystemExit(f"'{text}' takes {seconds:.1f} s to say, but only the last second is heard: choose a shorter "
                         "phrase, or its last words")
    count = sum(len(word) for word in words)
    if count < phrase.LEAST_PHONEMES:
        print(f"'{text}' has only {count} phonemes: expect false alarms, and rather add a word to it")


class Studio:
    """A phrase in a language, its speakers and what they say."""

    def __init__(self, text, language, vocabulary, effort, rng, jobs):
        self.text, self.effort, self.rng, self.jobs = text, effort, rng, jobs
        self.voice = espeak.base_voice(language)
        self.words = phrase.phonemes_of(text, self.voice)
        check_length(text, self.voice, self.words)
        self.vocabulary = texts.Vocabulary(self.voice, self.words, vocabulary)
        self.train_cast, self.check_cast = casts(language, rng)

    def _count(self, count):
        return max(int(count * self.effort), 20)

    def _phrases(self, cast, count, title):
        said = (self.text + self.rng.choice(phrase.ENDINGS) for _ in range(self._count(count)))
        return _utterances(cast.parts(said, self.rng), self.jobs, title)

    def _sentences(self, cast, count):
        """Texts and who is to speak them."""
        return cast.parts((self.vocabulary.sentence(self.rng) for _ in range(self._count(count))), self.rng)

    def _near(self):
        """Phonemes are of one voice: others of the language may have other names for them."""
        misses = near_misses(self.words, self.vocabulary.spoken(), self.rng, self._count(NEAR))
        parts = self.train_cast.of_voice(self.voice).parts(map(text_of, misses), self.rng)
        return _utterances(parts, self.jobs, "near misses")

    def material(self):
        return Material(self._phrases(self.train_cast, PHRASES, "phrase"), self._near(),
                        _utterances(self._sentences(self.train_cast, SENTENCES), self.jobs, "sentences"))

    def check(self, speech):
        """(phrases by voices that are not in material(), what is said without the phrase: people's `speech`, or else
        sentences by those voices)."""
        phrases = self._phrases(self.check_cast, CHECK_PHRASES, "phrase to judge with")
        # chosen in any case: a seed gives the same model whether they are spoken or not
        sentences = self._sentences(self.check_cast, CHECK_SENTENCES)
        # synthetic sentences, too, cause more false alarms than people's, and a threshold against them misses people
        return phrases, list(speech) or _utterances(sentences, self.jobs, "sentences to judge with")


def speech_of(folder, cache, effort, rng):
    """The user's speech without the phrase, (to train with, to judge with): whole stretches of the sorted list, so that
    speakers tend to be on one side."""
    paths = sounds.recordings_in(folder)
    if len(paths) < 2:
        raise SystemExit(f"{folder}: give two recordings at least, one to train with and one to judge with")
    held = max(len(paths) // HELD_OUT, 1)
    share = min(effort, 1)
    return (sounds.decoded("speech", paths[:-held], cache, SPEECH_HOURS * share, rng),
            sounds.decoded("check", paths[-held:], cache, CHECK_SPEECH_HOURS * share, rng))


def own_recordings(folder, rng):
    found = recordings.phrases_in(folder)
    train, held = recordings.thirds(found, rng)
    print(f"{len(found)} recordings of the phrase: {len(train)} to train with, {len(held)} to judge with")
    return train, held
