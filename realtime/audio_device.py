"""What a live session needs of a microphone and a listener, whatever they are."""

from collections.abc import Callable
from threading import Event
from typing import Protocol

from realtime.ring import Samples

Capture = Callable[[Samples, float], None]
Playback = Callable[[Samples, float], None]


class AudioDevice(Protocol):
    """A microphone and a listener, which bring and ask for a block at a time, each at its own rate."""

    finished: Event  # set when no more sound will come
    has_one_clock: bool  # blocks are captured and played in turn, on one thread
    capture_rate_hz: int
    capture_block_frames: int
    playback_rate_hz: int
    playback_block_frames: int

    @property
    def overruns(self) -> int:
        """How often the device itself lost sound."""

    def start(self, capture: Capture, playback: Playback, delay_seconds: float) -> None:
        """Begin to call `capture` with each block heard and `playback` for each block to be filled.

        Each is float32 [frames]; the second argument tells for its first frame how many seconds ago it was
        heard, or in how many it will be. What is filled in was captured `delay_seconds` earlier.
        """

    def stop(self) -> None:
        """Stop calling. Raises the error that ended the device's work early, if one did."""
