"""One more listener, who hears what goes out."""

from model.plan import SAMPLE_RATE_HZ
from realtime.clock import Steering
from realtime.device_stream import BLOCK_SECONDS, BUFFER_SECONDS, block_frames
from realtime.playout import Playout
from realtime.ring import Samples

CUSHION_SECONDS = 2 * BUFFER_SECONDS + BLOCK_SECONDS
SMOOTHING_SECONDS = 1.0  # of what waits, which rises and falls by a block
LATE_SECONDS = 0.1  # put right at once when off by more, by less unheard


class Monitor:
    """Takes what goes out on one thread and gives it to a device of `rate_hz` on another.

    The listener's clock is followed by how much waits; a few milliseconds do not matter here.
    """

    def __init__(self, rate_hz: int) -> None:
        self._playout = Playout(rate_hz, block_frames(rate_hz), is_steered=True)
        self._cushion_frames = round(CUSHION_SECONDS * rate_hz)
        self._steering, self._excess_seconds = Steering(), 0.0

    def push(self, block: Samples) -> None:
        """Append float32 `block` at 44.1 kHz."""
        playout, elapsed = self._playout, len(block) / SAMPLE_RATE_HZ
        playout.push(block)
        excess = (playout.waiting_frames(playout.asked) - self._cushion_frames) / playout.rate_hz
        if not playout.is_started or abs(excess) > LATE_SECONDS:
            playout.align(self._cushion_frames)
            self._excess_seconds = 0.0
            return
        self._excess_seconds += (excess - self._excess_seconds) * elapsed / SMOOTHING_SECONDS
        playout.steer(self._steering.rate_change(self._excess_seconds, elapsed))

    def playback(self, out: Samples, seconds_ahead: float) -> None:
        """Fill float32 `out`, one block, for the listener."""
        self._playout.playback(out)
