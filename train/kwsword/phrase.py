"""The wanted phrase: its name, and its phonemes."""
import re
import unicodedata

from kwstrain.voices import espeak
from kwstrain.voices.phonemes import bare

LEAST_PHONEMES = 4
LONGEST_NAME = 63  # bytes, of a keyword in the configuration
PUNCTUATION = "-'.,!?"
ENDINGS = ("", ".", "!", "?", ",")  # each is another melody


def _is_allowed(letter):
    return letter == " " or letter in PUNCTUATION or unicodedata.category(letter)[0] in "LMN"


def name_of(phrase):
    """What the keyword is called in the model and the configuration: one word."""
    words = re.split(f"[ {re.escape(PUNCTUATION)}]+", unicodedata.normalize("NFC", phrase).lower())
    name = "_".join(word for word in words if word)
    if not name or not all(map(_is_allowed, phrase)):
        raise SystemExit(f"{phrase!r} cannot name a keyword: letters, digits, spaces and {PUNCTUATION} can")
    if len(name.encode()) > LONGEST_NAME:
        raise SystemExit(f"'{phrase}' is too long to name a keyword: at most {LONGEST_NAME} bytes")
    return name


def phonemes_of(phrase, voice):
    words = espeak.phonemes(phrase, voice)
    words = [word for word in words if any(bare(p) for p in word)]
    if not words:
        raise SystemExit(f"espeak-ng's voice {voice} can say nothing of '{phrase}'")
    return words
