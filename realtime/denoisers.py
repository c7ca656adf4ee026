"""Denoisers that people would pick instead, for `main.py bench`: seconds of computing for a recording.

They work on 10 ms frames at 48 kHz and come with the packages of the extra `bench`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import numpy as np

from model.denoiser import FRAME_SAMPLES, DenoiseFrame, deep_filter_net
from realtime.ring import Samples


@contextmanager
def rnnoise() -> Iterator[DenoiseFrame]:
    """RNNoise (Valin 2018). Raises ImportError without its package."""
    from pyrnnoise import rnnoise

    state = rnnoise.create()
    try:
        yield lambda frame: rnnoise.process_mono_frame(state, frame)[0] / np.float32(32768)  # from 16 bits
    finally:
        rnnoise.destroy(state)


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
