"""What the audio callbacks and the worker share: two rings, and no lock."""

from typing import Literal

import numpy as np

from realtime.ring import Ring, Samples

PATIENCE_SECONDS = 4.0  # by how much the worker may trail capturing before sound is lost
LAG_SECONDS = 0.2  # by how much playing may trail capturing before it is brought back

Kind = Literal["processed", "dry", "silence"]


class Bridge:
    """Carries sound from a capture callback to a worker and on to a playback callback, `delay_frames` late.

    The callbacks only copy memory. The worker takes captured blocks in order and gives each back processed,
    `latency_frames` late; `headroom_frames` more is the time it has for that. A block that is not there
    when it has to be played is replaced by the captured sound of the same instant, and is not made up for
    later: the delay stays as it is. All positions count frames since the first captured one.
    """

    def __init__(
        self, sample_rate_hz: int, block_frames: int, latency_frames: int, headroom_frames: int
    ) -> None:
        self.headroom_frames = headroom_frames
        self.delay_frames = latency_frames + headroom_frames
        self.dropouts = 0
        self._block_frames = block_frames
        self._lag_frames = round(LAG_SECONDS * sample_rate_hz)
        self._patience_frames = round(PATIENCE_SECONDS * sample_rate_hz)
        capacity = self._patience_frames + self._lag_frames + self.delay_frames + block_frames
        self._captured, self._processed = Ring(capacity), Ring(capacity)
        self._playing = 0  # the block captured at this position would be played now if there were no delay
        self._in_step, self._lost_at = False, 0
        self._fetched: Samples = np.zeros(block_frames + 1, np.float32)
        self._kind: Kind = "silence"
        self._last_sample = np.float32(0.0)
        self._fall = (0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, block_frames))).astype(np.float32)

    # The audio device's side.

    def capture(self, block: Samples) -> None:
        """Take float32 `block` from the microphone."""
        self._captured.write(block)

    def playback(self, out: Samples) -> None:
        """Fill float32 `out`, one block, for the listener."""
        kind = self._fetch() if self._keep_step() else self._fetch_silence()
        out[:] = self._fetched[1:]
        if kind != self._kind:  # bend the new sound so that it goes on where the old one ended
            out += (self._last_sample - self._fetched[0]) * self._fall
            np.clip(out, -1.0, 1.0, out=out)
        self._kind, self._last_sample = kind, out[-1]

    def _keep_step(self) -> bool:
        """Whether it is known what to play: not before the first sound, nor when one of the clocks stops."""
        captured = self._captured.written
        lag = captured - self._block_frames - self._playing
        if self._in_step and not -self.headroom_frames <= lag <= self._lag_frames:
            self._in_step, self._lost_at = False, captured
        if not self._in_step and captured > self._lost_at:
            self._in_step, self._playing = True, captured - self._block_frames
        return self._in_step

    def _fetch(self) -> Kind:
        """Fetch the block to play and, for a seamless start, the sample before it."""
        start = self._playing - self.headroom_frames
        self._playing += self._block_frames
        if start + self._block_frames <= self._processed.written:
            self._processed.read_into(start - 1, self._fetched)
            return "processed"
        self.dropouts += 1
        self._captured.read_into(start + self.headroom_frames - self.delay_frames - 1, self._fetched)
        return "dry"

    def _fetch_silence(self) -> Kind:
        self.dropouts += self._lost_at > 0
        self._fetched[:] = 0.0
        return "silence"

    # The worker's side.

    @property
    def played_frames(self) -> int:
        return self._playing

    @property
    def waiting_frames(self) -> int:
        """Captured and not yet given back."""
        return self._captured.written - self._processed.written

    def take(self) -> Samples | None:
        """The next captured block, None before it is complete; silence in place of what was overwritten."""
        if self.waiting_frames < self._block_frames:
            return None
        if self.waiting_frames > self._patience_frames:
            return np.zeros(self._block_frames, np.float32)
        return self._captured.read(self._processed.written, self._block_frames)

    def give(self, block: Samples) -> None:
        """Give the block just taken back, processed."""
        self._processed.write(block)
