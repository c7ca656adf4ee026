"""Recordings in memory through the streaming processor, as fast as the machine can."""

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.processor import StreamError, StreamProcessor, WindowRestorer
from realtime.ring import Samples

BLOCK_FRAMES = 512


def restore_audio(restorer: WindowRestorer, audio: Samples) -> Samples:
    """Stream float32 [samples] at 44.1 kHz; the result is aligned with it and of the same length.

    Raises StreamError where a live stream would go on with the unrestored sound.
    """
    processor = StreamProcessor(restorer)
    processor.prepare(SAMPLE_RATE_HZ, BLOCK_FRAMES)
    padded = np.concatenate((audio, np.zeros(processor.latency_frames, np.float32)))
    starts = range(0, len(padded), BLOCK_FRAMES)
    blocks = [processor.process(padded[start : start + BLOCK_FRAMES]) for start in starts]
    if processor.stats.last_error is not None:
        raise StreamError(f"The model failed ({processor.stats.last_error}); check its bundle.")
    return np.concatenate(blocks)[processor.latency_frames :]
