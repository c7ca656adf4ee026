"""What restoring costs, hop by hop and part by part."""

from contextlib import nullcontext
from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.offline import BLOCK_FRAMES
from realtime.processor import StreamError, StreamProcessor
from realtime.ring import Samples

if TYPE_CHECKING:  # torch is imported only where a model is loaded
    from model.masksr import RestorerStream

WARM_UP_HOPS = 3


@dataclass(frozen=True)
class Percentiles:
    """Of the milliseconds that something takes."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True)
class HopCost:
    """The whole "hop" and its `parts`.

    "encode" includes the STFT, "pass" is one of them, "draw" is what choosing tokens adds to them all, and
    "overhead" is levels, resampling and the rest.
    """

    hops: int
    hop_ms: float
    latency_ms: float
    real_time_factor: float
    parts: dict[str, Percentiles]


def measure_hops(stream: "RestorerStream", audio: Samples, hops: int) -> HopCost:
    """Restore float32 [samples] at 44.1 kHz, over and over, until `hops` are measured.

    Raises StreamError where a live stream would go on with the unrestored sound.
    """
    from model.stopwatch import Stopwatch

    processor = StreamProcessor(stream)
    processor.prepare(SAMPLE_RATE_HZ, BLOCK_FRAMES)
    wanted_blocks = ceil((hops + WARM_UP_HOPS + 1) * stream.plan.hop_samples / BLOCK_FRAMES)
    blocks = np.resize(audio, (wanted_blocks, BLOCK_FRAMES))
    laps: dict[str, list[float]] = {}
    seconds, restored = 0.0, 0
    stream.timer = processor.timer = stopwatch = Stopwatch(_wait_for_device)
    for block in blocks:
        started = perf_counter()
        processor.process(block)
        seconds += perf_counter() - started
        if not stopwatch.laps:
            continue
        restored += 1
        if restored > WARM_UP_HOPS:
            for part, times in _parts(stopwatch.laps, seconds).items():
                laps.setdefault(part, []).extend(times)
        stopwatch.laps.clear()
        seconds = 0.0
    stream.timer = nullcontext
    if processor.stats.last_error is not None:
        raise StreamError(f"The model failed ({processor.stats.last_error}); check its bundle.")
    hop_seconds = processor.stats.hop_seconds
    return HopCost(
        hops=len(laps["hop"]),
        hop_ms=1000 * hop_seconds,
        latency_ms=1000 * processor.latency_frames / SAMPLE_RATE_HZ,
        real_time_factor=float(np.mean(laps["hop"])) / hop_seconds,
        parts={part: _percentiles(times) for part, times in laps.items()},
    )


def _parts(laps: dict[str, list[float]], seconds: float) -> dict[str, list[float]]:
    sampling, passes = sum(laps["sample"]), sum(laps["pass"])
    encode, decode, crossfade = (sum(laps[part]) for part in ("encode", "decode", "crossfade"))
    return {
        "encode": [encode],
        "pass": laps["pass"],
        "draw": [sampling - passes],
        "decode": [decode],
        "crossfade": [crossfade],
        "overhead": [seconds - encode - sampling - decode - crossfade],
        "hop": [seconds],
    }


def _percentiles(seconds: list[float]) -> Percentiles:
    return Percentiles(*(1000 * float(np.percentile(seconds, share)) for share in (50, 95, 99)))


def _wait_for_device() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
