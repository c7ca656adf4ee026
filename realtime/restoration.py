"""The restoring of a stream that does not wait: block by block, and dry where there is no time left."""

from model.plan import SAMPLE_RATE_HZ
from realtime.continuation import Continuation
from realtime.mailbox import Mailbox
from realtime.mixer import BLOCK_FRAMES
from realtime.processor import StreamProcessor
from realtime.ring import Ring

PATIENCE_SECONDS = 4.0  # by how much restoring may trail capturing before it starts anew


class Restoration:
    """Restores what is written to `noisy` into `restored`, as `realtime.mixer` reads it with `continuations`.

    A block is due `headroom_frames` after it was captured, and missed when the continuation ends.
    """

    def __init__(
        self,
        processor: StreamProcessor,
        noisy: Ring,
        restored: Ring,
        continuations: Mailbox[Continuation],
        headroom_frames: int,
    ) -> None:
        self._processor, self._noisy, self._restored = processor, noisy, restored
        self._continuations, self._headroom_frames = continuations, headroom_frames
        self._told_position = self._bridge_frames = 0
        self._start()

    @property
    def waiting_frames(self) -> int:
        """Captured and not yet restored."""
        return self._noisy.written - self._restored.written

    def step(self) -> bool:
        """Restore the next block; false if it is not captured yet."""
        if self.waiting_frames > PATIENCE_SECONDS * SAMPLE_RATE_HZ:
            self._start()
        if self.waiting_frames < BLOCK_FRAMES:
            return False
        usual_seconds = self._processor.stats.compute_ms(50) / 1000.0
        expected_seconds = min(
            usual_seconds, self._processor.ladder.budget_seconds
        )  # or it never tries again
        behind_frames = self.waiting_frames - self._headroom_frames - self._bridge_frames
        self._processor.behind_seconds = behind_frames / SAMPLE_RATE_HZ + expected_seconds
        block = self._noisy.read(self._restored.written, BLOCK_FRAMES)
        self._restored.write(self._processor.process(block))
        self._tell_continuation()
        return True

    def _tell_continuation(self) -> None:
        """As soon as what is restored reaches the beginning of what would follow."""
        continuation = self._processor.continuation
        position = self._restored.begin + continuation.position
        if continuation.position > self._told_position and position <= self._restored.written:
            self._told_position = continuation.position
            self._bridge_frames = len(continuation.samples) - BLOCK_FRAMES
            self._processor.ladder.spare_seconds = self._bridge_frames / SAMPLE_RATE_HZ
            self._continuations.put(Continuation(position, continuation.samples))

    def _start(self) -> None:
        self._processor.reset()
        self._told_position = self._bridge_frames = 0
        self._restored.restart(self._noisy.written)
