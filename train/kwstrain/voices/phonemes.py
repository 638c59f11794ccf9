"""espeak-ng's phonemes: which of them are one sound, and whether something is heard in something else."""

# Phonemes that a listener, or another accent, may take for one another: a word that differs in nothing else is the word.
ALIKE = ("i I", "e E", "@ V 3 8", "a A", "0 o O", "u U", "t d", "s z", "p b", "k g")
_CLASS = {letter: index for index, letters in enumerate(ALIKE) for letter in letters.split()}


def bare(phoneme):
    """Without the stress marks before it."""
    return phoneme.lstrip("',%=")


def is_vowel(phoneme):
    return bare(phoneme)[:1] in set("aeiouyAEIOUYV@0368")


def sound(phoneme):
    """Phonemes of one sound are no difference."""
    letter = bare(phoneme)[:1]
    return _CLASS.get(letter, letter)


def sounds(words):
    return [sound(p) for word in words for p in word if bare(p)]


def contains(words, phrase):
    """Whether the phrase is heard in the words."""
    whole, part = sounds(words), sounds(phrase)
    return any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


def text_of(words):
    """As espeak-ng reads phonemes."""
    return "[[" + " ".join("".join(word) for word in words) + "]]"
