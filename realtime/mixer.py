"""What the listener gets: the restored sound where it is there in time, else the dry of the same instant."""

from dataclasses import dataclass

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.continuation import Continuation, RestoredSound
from realtime.crossfade import GainRamp
from realtime.limiter import limit
from realtime.mailbox import Mailbox
from realtime.messages import Parameters
from realtime.ring import Ring, Samples

BLOCK_FRAMES = 256  # 5.8 ms
SPARE_FRAMES = 2 * BLOCK_FRAMES  # the block that is filling, and the one that has to be known to follow
RAMP_FRAMES = round(0.02 * SAMPLE_RATE_HZ)
AS_RESTORED = Parameters()


@dataclass(frozen=True)
class Delay:
    """How late the restored sound is by its nature, and how long may be computed on it besides."""

    latency_frames: int = 0
    headroom_frames: int = 0

    @property
    def frames(self) -> int:
        return self.latency_frames + self.headroom_frames


@dataclass(frozen=True)
class Mix:
    """The same instant of each signal, float32 [BLOCK_FRAMES]; `restored` is dry where it is not there."""

    dry: Samples
    restored: Samples
    output: Samples


class Mixer:
    """Mixes the captured sound with what another process makes of it, both `delay.frames` late, at 44.1 kHz.

    The sample at a position of `restored` is `delay.latency_frames` older than that of `noisy`. Where it is
    late, the newest of `continuations` stands in; beyond that, restored sound is faded out before it ends,
    faded in when it is back, and never made up for: the delay stays as it is. Set `parameters`, `delay` and
    `is_awaiting` at any time, from any thread.
    """

    def __init__(
        self,
        noisy: Ring,
        restored: Ring,
        continuations: Mailbox[Continuation],
        parameters: Parameters = AS_RESTORED,
    ) -> None:
        self.parameters, self.delay = parameters, Delay()
        self.is_awaiting = True  # restored sound, because the restorer runs
        self.dropouts = 0  # blocks that went out dry because the restored ones were late
        self.is_restoring = False  # whether the newest block was restored
        self.position = noisy.written  # of the first captured sample that is not mixed yet
        self._noisy, self._restored = noisy, RestoredSound(restored, continuations)
        self._delay = self.delay
        self._presence = GainRamp(BLOCK_FRAMES, 0.0)
        self._wet = GainRamp(RAMP_FRAMES, self.parameters.wet_gain)
        self._output = GainRamp(RAMP_FRAMES, self.parameters.output_gain)
        self._rise = GainRamp(BLOCK_FRAMES, 0.0).advance(1.0, BLOCK_FRAMES)

    @property
    def bridged(self) -> int:
        """Blocks that were late, in whose place the continuation was heard."""
        return self._restored.bridged

    def mix(self) -> Mix | None:
        """The next block; None until it has been captured."""
        if self._noisy.written < self.position + BLOCK_FRAMES:
            return None
        wanted = self.delay
        restored = self._read_restored(stays=wanted == self._delay)
        dry = self._read_dry(wanted)
        parameters = self.parameters
        presence = self._presence.advance(1.0 if self.is_restoring else 0.0, BLOCK_FRAMES)
        restored = dry * (1.0 - presence) + restored * presence
        wet = self._wet.advance(parameters.wet_gain, BLOCK_FRAMES)
        output = limit(dry * (1.0 - wet) + restored * wet)
        output *= self._output.advance(parameters.output_gain, BLOCK_FRAMES)
        self.position, self._delay = self.position + BLOCK_FRAMES, wanted
        return Mix(dry, restored, output)

    def _read_dry(self, wanted: Delay) -> Samples:
        dry = self._noisy.read(self.position - self._delay.frames, BLOCK_FRAMES)
        if wanted.frames != self._delay.frames:
            other = self._noisy.read(self.position - wanted.frames, BLOCK_FRAMES)
            dry += (other - dry) * self._rise
        return dry

    def _read_restored(self, stays: bool) -> Samples:
        """The restored block, zeros if it is not there; sees whether it is to be heard to its end."""
        start = self.position - self._delay.headroom_frames
        is_here = self._has(start, BLOCK_FRAMES)
        if not is_here:
            self._presence.jump(0.0)
        is_awaited = self.is_awaiting and stays  # by another delay it was never promised
        self.dropouts += is_awaited and not is_here and self._has_begun(start)
        self.is_restoring = is_here and stays and self._has(start, 2 * BLOCK_FRAMES)
        return self._restored.read(start, BLOCK_FRAMES) if is_here else np.zeros(BLOCK_FRAMES, np.float32)

    def _has(self, start: int, count: int) -> bool:
        return self._has_begun(start) and self._restored.has(start, count)

    def _has_begun(self, start: int) -> bool:
        """Whether the restorer's stream, and not just the silence before it, reaches back to `start`."""
        return start >= self._restored.begin + self._delay.latency_frames
