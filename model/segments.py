"""Where a recording holds speech, and how far up in frequency it reaches."""

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from model.plan import SAMPLE_RATE_HZ

FRAME_SECONDS = 0.02
SHORTEST_SECONDS = 0.25
PAUSE_SECONDS = 0.3  # shorter pauses do not part a segment
MARGIN_SECONDS = 0.1
RANGE_DB = 35.0  # speech lies within this of the loudest frames
ABOVE_FLOOR_DB = 9.0
FLOOR_PERCENTILE = 10.0
WINDOW_SAMPLES = 2048
SMOOTHING_BINS = 9  # about 200 Hz
PEAK = 0.7
AUDIBLE_DB = -85.0  # under the loudest band

FloatArray = NDArray[np.float32]


def active_segments(audio: FloatArray) -> list[slice]:
    """The stretches of float32 `audio` [samples] at 44.1 kHz in which someone speaks."""
    frame = round(FRAME_SECONDS * SAMPLE_RATE_HZ)
    levels_db = _frame_levels_db(audio, frame)
    if not len(levels_db):
        return []
    floor_db = np.percentile(levels_db, FLOOR_PERCENTILE)
    top_db = np.percentile(levels_db, 95)
    threshold_db = max(top_db - RANGE_DB, min(floor_db + ABOVE_FLOOR_DB, top_db - ABOVE_FLOOR_DB))
    active = np.flatnonzero(levels_db > threshold_db)
    if not len(active) or top_db < -80:
        return []
    breaks = np.flatnonzero(np.diff(active) * FRAME_SECONDS > PAUSE_SECONDS) + 1
    margin = round(MARGIN_SECONDS * SAMPLE_RATE_HZ)
    runs = [(run[0] * frame, (run[-1] + 1) * frame) for run in np.split(active, breaks)]
    return [
        slice(max(0, start - margin), min(len(audio), stop + margin))
        for start, stop in runs
        if stop - start >= SHORTEST_SECONDS * SAMPLE_RATE_HZ
    ]


def bandwidth_hz(audio: FloatArray) -> int:
    """Highest frequency at which loud frames of `audio` [samples] at 44.1 kHz rise over quiet ones."""
    if len(audio) < WINDOW_SAMPLES:
        return 0
    frequencies, _, spectrum = scipy.signal.stft(audio, SAMPLE_RATE_HZ, nperseg=WINDOW_SAMPLES)
    power = np.square(np.abs(spectrum))
    by_level = np.argsort(power.sum(axis=0))
    share = max(1, len(by_level) // 5)
    quiet, loud = power[:, by_level[:share]].mean(axis=1), power[:, by_level[-share:]].mean(axis=1)
    kernel = np.ones(SMOOTHING_BINS) / SMOOTHING_BINS
    quiet, loud = np.convolve(quiet, kernel, "same"), np.convolve(loud, kernel, "same")
    audible = loud > loud.max() * 10 ** (AUDIBLE_DB / 10)
    present = audible & (loud > quiet * 10 ** (ABOVE_FLOOR_DB / 20))
    return int(frequencies[present][-1]) if present.any() else 0


def levelled(audio: FloatArray) -> FloatArray:
    """`audio` with its peak at PEAK."""
    return audio * np.float32(PEAK / max(float(np.abs(audio).max()), 1e-6))


def _frame_levels_db(audio: FloatArray, frame: int) -> FloatArray:
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    levels: FloatArray = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-10)
    return levels
