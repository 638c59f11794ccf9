"""flite's English voices, made of recordings of people: few, but nearer to people than espeak-ng's formants."""
import shutil

from .speaker import of_wav, run

PROGRAM = "flite"
RATE = 16000
WORDS_A_MINUTE = 165  # of its voices as they are
PITCH_HZ = {"awb": 129, "kal16": 88, "rms": 101, "slt": 172}  # likewise; of those in 16 kHz that can say anything


def speaks(language):
    return language.split("-")[0] == "en"


def is_installed():
    return shutil.which(PROGRAM) is not None


def voices(language):
    """Names of the voices; none for languages that it cannot speak, or where it is not installed."""
    if not speaks(language) or not is_installed():
        return []
    listed = run([PROGRAM, "-lv"]).decode().split()
    return [name for name in PITCH_HZ if name in listed]


def speak(text, speaker):
    """int16 samples at 16 kHz without silence at the ends."""
    # formants come from playing faster; the pitch goes along half the way, as it does with people
    pitch = PITCH_HZ[speaker.voice] * 2 ** ((speaker.pitch - 50) / 80) / speaker.formants**0.5
    stretch = WORDS_A_MINUTE / speaker.rate * speaker.formants
    # a text without a space would be the name of a file
    wav = run([PROGRAM, "-voice", speaker.voice, "--setf", f"duration_stretch={stretch:.3f}", "--setf",
               f"int_f0_target_mean={pitch:.0f}", "-t", " " + text, "-o", "/dev/stdout"])
    return of_wav(wav, RATE, speaker.formants)
