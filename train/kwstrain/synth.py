"""Words spoken by synthetic voices: a small part of training, never of a reported figure."""
import hashlib
import os
import pathlib
import random

import numpy as np

from .data import HELD_OUT, KEYWORDS, WAKE_WORDS
from .voices import espeak
from .voices.cast import casts, speak_all
from .voices.near import near_misses
from .voices.phonemes import sounds, text_of

VOICE = "en-us"  # whose phonemes tell what sounds alike
# Ordinary words and words that come near a keyword without being one.
OTHER_WORDS = """
about above again air album alarm almost also always amber animal answer apple april around arrow away baby back bacon
ball banana bank basket beach bean beautiful because become bedroom before begin behind believe below best better
between bicycle big black blue board boat body book bottle bottom box bread break breakfast bridge bright bring brother
brown build bus butter button buy call camera can candle car carpet carry castle catch ceiling center chair change cheap
check cheese chicken child chocolate church circle city clean clear clock close cloud coat coffee cold color come common
computer cook copper corner country cousin cover cow create cup curtain dance danger dark daughter dawn day deep dinner
dirty doctor dollar door dough dozen draw dream dress drink drive dry duck dust each early earth easy eat egg eleven
empty engine enjoy enough evening every example eye face fact family farm fast father february feel fence few field
figure fill find finger finish fire first fish floor flower fly follow food foot forest forget fork fourteen fresh friday
friend from front fruit full funny garden gate gather get giant girl give glass gold gone good goat ghost goal gold grass
great green ground group grow guess guitar hair half hammer hand happen hard hat have hear heart heavy hello help here
high hill history hold hole holiday home honest hope horse hospital hot hotel hour hundred hungry hurry ice idea if
important inside island jacket january job join juice jump june just keep kettle key kick kind king kitchen knee knife
lady lake lamp language large last late laugh laughter law lazy leaf learn leather leave leg lemon less lesson letter
library lift light like line lion lip list listen little live lock lonely long look loft lose lot love low lunch machine
magic make man many map march mark market matter may maybe meal mean meat medicine meet melon member message metal
middle mile milk million mind minute mirror mister model moment monday money monkey month moon more morning mother
mountain mouse mouth move much music name narrow near neck need needle never new news next nice night noise none noon
north nose note nothing november nobody nor number nurse ocean october of office often oil old once onion only open opera
orange order other our out outside over own page paint pair paper parent park part party pass path pay peace pen pencil
people pepper perhaps person phone photo piano picture piece pilot pink place plane plant plate play please pocket point
police poor potato pretty price problem pull pup purple push put queen question quick quiet quite radio rain rate read
ready red remember repeat rest restaurant rice rich ride ring river road rock roof room root rose rough round row rule
run sad safe salad salt same sand saturday save say school science sea season second see seed sell send sentence
september serve set shadow shall shape share sharp sheep ship shirt shoe shop short should shoulder show shut sick side
sign silver simple since sing sister sit size skin sky sleep slow small smell smile smoke snow soap sock soft some son
song soon sorry soup south space speak special spell spend spoon spring square stamp stand star station stay steal step
still stock stomach stone story straight strange street strong student study sugar summer sun sunday supper sure surprise
sweet swim table take talk tall taxi tea teach tell temperature ten tennis test thank that theater then there they thick
thin thing think thirsty thirteen this throat through throw thursday ticket tiger time tired today together tomato
tomorrow tonight tooth top topic toward towel town toy train travel trip trouble truck true try tuesday turn turtle
twelve twenty uncle under understand university until upper us use usual valley very village visit voice volume wait wake
walk wall want warm wash watch water way weak wear weather wednesday week weigh welcome well west wet what wheel when
where which white who whole why wide wife wild win wind window wine winter wish with without woman wonder wood word work
world worry would wrap wrist write wrong yard year yellow yesterday yet young your yacht yell yawn dawn drown town crown
noun gown brown stomp stock shop chop slop step stuff loft laughed lip left-over ripe rice rate riot ride light fright
nose known note nope go-kart gull gore cup pup app upset dusk duck
""".split()
HOMOPHONES = {"write", "left-over", "go-kart", "known"}  # too near to call "not the keyword"
# Spelling of words that do not exist: there are more of them than anybody would record.
ONSETS = """b bl br ch d dr f fl fr g gl gr h j k kl kr l m n p pl pr qu r s sh sk sl sm sn sp st str sw t th tr tw v w y
z""".split() + [""]
VOWELS = "a e i o u ee oo ai ow oy ar er aw oa ea ie".split()
CODAS = "b ch ck d f ft g k l ld lt m mp n nd ng nk nt p pt r rd rk rn rt s sh st t th ve x z".split() + [""] * 4
ENDINGS = ["er", "y", "ing", "o", "et", "le", "en", "a", "ow"] + [""] * 4
MADE_UP = 0.45  # of the other words that are spoken


def _made_up(rng):
    return rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) + rng.choice(ENDINGS)


# The words to tell, and those that the command model must not have heard.
KEPT_OUT = set(KEYWORDS) | HELD_OUT | HOMOPHONES | {part for word in WAKE_WORDS for part in word.split("_")}


def _heard(words):
    return [sounds(line) for line in espeak.phonemes_of_each(sorted(words), VOICE)]


def vocabulary(rng, count):
    """(words, at most `count` made-up words), none of which sounds like one of KEPT_OUT"""
    taken = _heard(KEPT_OUT)

    def free(words):
        words = sorted(words)
        return [word for word, sound in zip(words, _heard(words)) if sound and sound not in taken]

    return free(set(OTHER_WORDS) - KEPT_OUT), free({_made_up(rng) for _ in range(count)})


def _speak(texts, rng, title):
    return speak_all(casts("en", rng)[0].parts(texts, rng), os.cpu_count() or 1, title)


def _kept(store, spoken):
    """Lists (text, samples); `spoken` makes them, they are kept on disk after the first time."""
    if not store.exists():
        np.savez(store, **{f"{i:05d}-{text}": samples for i, (text, samples) in enumerate(spoken())})
    with np.load(store) as items:
        return [(name.split("-", 1)[1], items[name]) for name in sorted(items.files)]


def synthesise(cache, per_keyword=320, others=9000, seed=1):
    """Lists (word, samples) of keywords and of other words, real and made up."""
    def spoken():
        rng = random.Random(seed)
        real, made_up = vocabulary(rng, others)
        words = [word for word in KEYWORDS for _ in range(per_keyword)]
        words += [rng.choice(made_up if rng.random() < MADE_UP else real) for _ in range(others)]
        return _speak(words, rng, "words")

    return _kept(pathlib.Path(cache) / f"words-{per_keyword}-{others}-{seed}.npz", spoken)


def synthesise_near(cache, each=370, seed=1):
    """Utterances that are near a keyword, `each` of them, and sound like none of the words to tell or kept out."""
    def spoken():
        rng = random.Random(seed)
        ordinary = [part for line in espeak.phonemes_of_each(sorted(OTHER_WORDS), VOICE) for part in line]
        taken = _heard(KEPT_OUT)
        near = [miss for word in KEYWORDS for miss in near_misses(espeak.phonemes(word, VOICE), ordinary, rng, each)]
        texts = [text_of(miss) for miss in near if sounds(miss) not in taken]
        said = speak_all(casts("en", rng)[0].of_voice(VOICE).parts(texts, rng), os.cpu_count() or 1, "near misses")
        return [("near", samples) for _, samples in said]  # phonemes are no name of a file

    return [samples for _, samples in _kept(pathlib.Path(cache) / f"near-{each}-{seed}.npz", spoken)]


def synthesise_texts(cache, texts, each, seed):
    """Lists (text, samples), `each` voices of each of the texts."""
    def spoken():
        return _speak([text for text in texts for _ in range(each)], random.Random(seed), "texts")

    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]
    return _kept(pathlib.Path(cache) / f"texts-{digest}-{each}-{seed}.npz", spoken)
