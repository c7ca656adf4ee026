"""Recordings in memory through the streaming processor, as fast as the machine can."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.processor import StreamError, StreamProcessor, WindowRestorer
from realtime.ring import Samples

BLOCK_FRAMES = 512
WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Speed:
    """How long hops of `hop_ms` took to compute, and the time for everything over the sound's duration."""

    hops: int
    hop_ms: float
    latency_ms: float
    compute_ms_p50: float
    compute_ms_p95: float
    compute_ms_p99: float
    real_time_factor: float


def restore_audio(restorer: WindowRestorer, audio: Samples) -> Samples:
    """Stream float32 [samples] at 44.1 kHz; the result is aligned with it and of the same length.

    Raises StreamError where a live stream would go on with the unrestored sound.
    """
    return _stream(_prepared(restorer), audio)


def measure_speed(restorer: WindowRestorer, audio: Samples) -> Speed:
    """Stream float32 [samples] at 44.1 kHz once, after a warm-up. Raises StreamError as `restore_audio`."""
    processor = _prepared(restorer)
    _stream(processor, audio[: WARM_UP_SECONDS * SAMPLE_RATE_HZ])
    processor.reset()
    started = perf_counter()
    _stream(processor, audio)
    seconds, stats = perf_counter() - started, processor.stats
    return Speed(
        hops=stats.hops,
        hop_ms=1000 * stats.hop_seconds,
        latency_ms=1000 * processor.latency_frames / SAMPLE_RATE_HZ,
        compute_ms_p50=stats.compute_ms(50),
        compute_ms_p95=stats.compute_ms(95),
        compute_ms_p99=stats.compute_ms(99),
        real_time_factor=seconds * SAMPLE_RATE_HZ / len(audio),
    )


def _prepared(restorer: WindowRestorer) -> StreamProcessor:
    processor = StreamProcessor(restorer)
    processor.prepare(SAMPLE_RATE_HZ, BLOCK_FRAMES)
    return processor


def _stream(processor: StreamProcessor, audio: Samples) -> Samples:
    padded = np.concatenate((audio, np.zeros(processor.latency_frames, np.float32)))
    starts = range(0, len(padded), BLOCK_FRAMES)
    blocks = [processor.process(padded[start : start + BLOCK_FRAMES]) for start in starts]
    if processor.stats.last_error is not None:
        raise StreamError(f"The model failed ({processor.stats.last_error}); check its bundle.")
    return np.concatenate(blocks)[processor.latency_frames :]
