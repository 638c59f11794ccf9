"""What sounds near a phrase without being it, as phonemes."""
from .phonemes import bare, contains, is_vowel, sound


def _replaced(word, index, phoneme):
    old = word[index]
    stress = old[: len(old) - len(bare(old))]
    return [*word[:index], stress + bare(phoneme), *word[index + 1 :]]


def _change(word, inventory, rng):
    """One phoneme of another sound, one fewer, one more, or two neighbours swapped."""
    index = rng.randrange(len(word))
    kind = rng.random()
    if kind < 0.6 or len(word) < 3:
        same = [p for p in inventory if is_vowel(p) == is_vowel(word[index]) and sound(p) != sound(word[index])]
        return _replaced(word, index, rng.choice(same)) if same else word
    if kind < 0.75:
        return word[:index] + word[index + 1 :]
    if kind < 0.9:
        return [*word[:index], rng.choice(inventory), *word[index:]]
    other = (index + 1) % len(word)
    return _replaced(_replaced(word, index, word[other]), other, word[index])


def _neighbour(words, inventory, rng):
    """One to three changes, in any of the words."""
    words = [list(word) for word in words]
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        index = rng.randrange(len(words))
        if words[index]:
            words[index] = _change(words[index], inventory, rng)
    return [word for word in words if word]


def _part(words, others, rng):
    """Words of the phrase alone or among others; of a single word its beginning or its end."""
    if len(words) == 1:
        word = words[0]
        cut = rng.randint(1, max(len(word) - 1, 1))
        part = word[:cut] if rng.random() < 0.5 else word[cut:]
        other = rng.choice(others)
        return [part] if rng.random() < 0.4 else [part + other] if rng.random() < 0.5 else [other + part]
    kept = [word if rng.random() < 0.5 else rng.choice(others) for word in words]
    return kept if rng.random() < 0.6 else [rng.choice(words)]


def near_misses(words, others, rng, count):
    """Lists of words, as phonemes, in which the phrase is not heard; `others` are ordinary words of the language."""
    inventory = sorted({bare(p) for word in others + words for p in word if bare(p) and "(" not in p})
    found = []
    while len(found) < count:
        near = _part(words, others, rng) if rng.random() < 0.4 else _neighbour(words, inventory, rng)
        if any(bare(p) for word in near for p in word) and not contains(near, words):
            found.append(near)
    return found
