"""Seeded signals that several tests use."""

from collections.abc import Iterator

import numpy as np

from model.plan import FRAME_SAMPLES, WindowPlan
from realtime.ring import Samples


def noise(samples: int, seed: int = 0) -> Samples:
    """White noise at -20 dB."""
    return (np.random.default_rng(seed).standard_normal(samples) * 0.1).astype(np.float32)


def tone(samples: int, rate_hz: int = 44_100, hz: float = 200.0) -> Samples:
    """A sine of amplitude one half."""
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(samples) / rate_hz)).astype(np.float32)


def cut(signal: Samples, sizes: list[int]) -> Iterator[Samples]:
    """`signal` in blocks of the given sizes, repeated."""
    start = turn = 0
    while start < len(signal):
        yield signal[start : start + sizes[turn % len(sizes)]]
        start, turn = start + sizes[turn % len(sizes)], turn + 1


def windows(audio: Samples, plan: WindowPlan) -> Iterator[Samples]:
    """Consecutive windows of a stream at 44.1 kHz that silence precedes."""
    padded = np.concatenate((np.zeros(plan.context_frames * FRAME_SAMPLES, np.float32), audio))
    for start in range(0, len(padded) - plan.window_samples + 1, plan.hop_samples):
        yield padded[start : start + plan.window_samples]
