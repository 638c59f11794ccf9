"""What people say that is not the keyword: words and sentences for espeak-ng to speak."""
import pathlib
import unicodedata

from kwstrain.synth import OTHER_WORDS
from kwstrain.voices import espeak
from kwstrain.voices.phonemes import bare, contains

SMALL_WORDS = """the a an of to and in is it you that he was for on are with as i his they be at one have this from or had
by not but some what there we can out other were all your when up use how said each she which their if will way about
many then them would so these her him has look more no my than who did""".split()
NUMBERS = 0.2  # of what a sentence consists of: espeak-ng speaks them in every language
SOME_NUMBERS = [str(number) for number in (*range(101), *range(110, 10001, 90))]
LEAST_WORDS = 50


def words_in(text):
    """Words: letters, the marks that combine with them, and apostrophes among these."""
    text = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    parted = "".join(c if c == "'" or unicodedata.category(c)[0] in "LM" else " " for c in text)
    return sorted({word.strip("'") for word in parted.split()} - {""})


def _words(path):
    """Of the user's text, or else English ones, whatever the language that speaks them."""
    if path is None:
        return sorted((set(OTHER_WORDS) | set(SMALL_WORDS)) - {"left-over", "go-kart"})
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path}: {error}")
    found = words_in(text)
    if len(found) < LEAST_WORDS:
        raise SystemExit(f"{path}: only {len(found)} words; give a text with hundreds")
    return found


class Vocabulary:
    """Ordinary words with their phonemes, as the voice says them; none has the phrase in it."""

    def __init__(self, voice, phrase, path=None):
        words = [*_words(path), *SOME_NUMBERS]
        lines = espeak.phonemes_of_each(words, voice)
        self.phrase = phrase
        self.sounds = {word: line for word, line in zip(words, lines)
                       if any(bare(p) for part in line for p in part) and not contains(line, phrase)}
        self.numbers = [number for number in SOME_NUMBERS if number in self.sounds]
        self.names = sorted(set(self.sounds) - set(SOME_NUMBERS))
        if len(self.names) < LEAST_WORDS:
            raise SystemExit(f"the voice {voice} can say only {len(self.names)} of the words: give a text of its language, --text")
        self.small = [word for word in SMALL_WORDS if word in self.sounds] if path is None else self.names

    def spoken(self):
        """Words, without the numbers, as lists of phonemes."""
        return [part for name in self.names for part in self.sounds[name]]

    def _sentence(self, rng):
        words = []
        for _ in range(rng.randint(1, 8)):
            if self.numbers and rng.random() < NUMBERS:
                words.append(rng.choice(self.numbers))
            else:
                words.append(rng.choice(self.small if rng.random() < 0.35 else self.names))
        return words

    def sentence(self, rng):
        """Words in no order that means something, without the phrase among them."""
        while True:
            words = self._sentence(rng)
            if not contains([part for word in words for part in self.sounds[word]], self.phrase):
                return " ".join(words) + rng.choice(".!?")
