"""Keeps sound within bounds: what comes in, numbers; what goes out, full scale."""

import numpy as np

from realtime.ring import Samples

INPUT_LIMIT = 16.0  # +24 dB over full scale: room for hot float recordings, none for numbers that overflow
KNEE = 0.9


def without_wild_numbers(sound: Samples) -> Samples:
    """A float32 copy in which anything that is not a number is silence."""
    numbers = np.nan_to_num(sound, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(numbers, -INPUT_LIMIT, INPUT_LIMIT).astype(np.float32)


def limit(sound: Samples) -> Samples:
    """Exact up to the knee, then bent smoothly so as never to reach full scale."""
    over = np.maximum(np.abs(sound) - KNEE, 0.0)
    room = 1.0 - KNEE
    return np.copysign(np.minimum(np.abs(sound), KNEE) + room * np.tanh(over / room), sound)
