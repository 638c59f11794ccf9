"""What the C engine hears in a long piece of audio, hop by hop."""
import json
import pathlib
import subprocess
import tempfile

import numpy as np

from .data import RATE

KWS = pathlib.Path(__file__).parents[2] / "build" / "cli" / "kws"


def scores(model, samples, labels, hop_frames=2, kws=KWS):
    """(sample at which each hop's window ends (hops), posteriors of the deepest exit (hops, labels)); int16 samples in."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        audio = pathlib.Path(folder) / "audio.wav"
        soundfile.write(audio, samples, RATE, subtype="PCM_16")
        command = [kws, "scan", "--scores", "--json", "--model", model, "--set", "exits.policy=always-5",
                   "--set", f"model.hop_frames={hop_frames}", audio]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as scan:
            rows = [(hop["sample"], [hop["posteriors"][label] for label in labels])
                    for hop in map(json.loads, scan.stdout) if "posteriors" in hop]
    if scan.returncode != 0:
        raise SystemExit(f"{kws} scan failed")
    return np.array([at for at, _ in rows]), np.array([p for _, p in rows], np.float32)
