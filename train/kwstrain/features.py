"""The daemon's own log-mel front end (dsp/mel.c) through ctypes: there is no second implementation."""
import ctypes
import pathlib

import numpy as np

FRAMES, BANDS = 98, 64
FRAME_SAMPLES, HOP_SAMPLES = 400, 160
LIBRARY = pathlib.Path(__file__).parents[2] / "build" / "dsp" / "libkws_features.so"


class FrontEnd:
    """One C front end; not to be shared between processes."""

    def __init__(self, library=LIBRARY):
        if not pathlib.Path(library).exists():
            raise SystemExit(f"{library} is missing: run ./dev build first")
        self._lib = ctypes.CDLL(str(library))
        self._lib.kws_mel_describe.restype = ctypes.c_char_p
        self._lib.kws_mel_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self._lib.kws_mel_clip.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
        self._mel = ctypes.c_void_p()
        if self._lib.kws_mel_create(ctypes.byref(self._mel)) != 0:
            raise MemoryError("kws_mel_create")

    def describe(self):
        """The value of kws.features in a model file."""
        return self._lib.kws_mel_describe().decode()

    def clip(self, samples, out=None):
        """float32 samples in -1..1 to float32 (98, 64)."""
        samples = np.ascontiguousarray(samples, np.float32)
        if out is None:
            out = np.empty((FRAMES, BANDS), np.float32)
        self._lib.kws_mel_clip(self._mel, samples.ctypes.data, len(samples), out.ctypes.data)
        return out

    def stretch(self, samples):
        """float32 samples in -1..1, however many, to float32 (frames, 64)."""
        samples = np.ascontiguousarray(samples, np.float32)
        out = np.empty(((len(samples) - FRAME_SAMPLES) // HOP_SAMPLES + 1, BANDS), np.float32)
        for frame in range(len(out)):
            self._lib.kws_mel_frame(self._mel, samples.ctypes.data + 4 * HOP_SAMPLES * frame, out.ctypes.data + 4 * BANDS * frame)
        return out
