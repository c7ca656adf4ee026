"""The streaming restorer: blocks of any size and rate in, the same sizes out, a fixed delay later."""

from contextlib import nullcontext
from math import ceil
from time import perf_counter
from typing import Protocol

import numpy as np

from model.errors import GraphicsCardError, MaskSRError
from model.plan import SAMPLE_RATE_HZ, WindowPlan
from model.stopwatch import Timer
from model.translation import _
from realtime.continuation import LONGEST_FRAMES, Continuation
from realtime.crossfade import Crossfade, GainRamp
from realtime.ladder import Ladder
from realtime.limiter import limit, without_wild_numbers
from realtime.messages import Parameters
from realtime.passthrough import PassThrough
from realtime.resample import Resampler
from realtime.ring import Ring, Samples
from realtime.stats import Stats
from realtime.windows import WindowCutter

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_BLOCK_FRAMES = 8192
RAMP_MS = 20.0
RESTORER_ERRORS = (MaskSRError, RuntimeError, FloatingPointError)  # RuntimeError: most of torch's


class StreamError(MaskSRError):
    """A stream is set up or used outside its limits."""


class WindowRestorer(Protocol):
    """What turns windows into restored sound; holds the state of one stream."""

    passes: int  # sampling passes for the next window; may change between any two

    @property
    def plan(self) -> WindowPlan: ...

    def restore_window(self, noisy: Samples, /) -> Samples:
        """float32 [plan.window_samples] -> float32 [plan.hop_samples + plan.lookahead_samples].

        Called with consecutive windows after construction or `reset`. The result is the restored hop
        followed by a provisional look-ahead.
        """

    def reset(self) -> None:
        """Forget the stream so far."""


class StreamProcessor:
    """Restores one mono stream.

    The output does not depend on how the input was cut into blocks. A hop the restorer fails on is
    replaced by the input of the same instant. Set `parameters` at any time, from any thread. Where sound is
    due at a time, give the `ladder` its budget and tell `behind_seconds` before each block. `continuation`
    is what would follow at 44.1 kHz, in frames of the output, if there were no further hop. `timer` is told
    when joining a hop to the one before ("crossfade") begins and ends.
    """

    def __init__(self, restorer: WindowRestorer) -> None:
        self.parameters = Parameters()
        self.timer: Timer = nullcontext
        self.behind_seconds = 0.0  # how long ago the next hop was due; negative while there is time
        self._restorer = restorer
        self._plan = restorer.plan
        self.ladder = Ladder(restorer.passes, self._plan.hop_samples / SAMPLE_RATE_HZ)
        self._dry_restorer = PassThrough(self._plan)
        self._cutter = WindowCutter(self._plan)
        self._crossfade = Crossfade(self._plan.fade_samples)
        self.stats = Stats(self._plan.hop_samples / SAMPLE_RATE_HZ)

    def prepare(self, sample_rate_hz: int, max_block_frames: int) -> None:
        """Set the device's rate and largest block, and start a stream.

        Raises StreamError outside 8000..192000 Hz and 1..8192 frames.
        """
        if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
            raise StreamError(
                f"{sample_rate_hz} Hz is not supported; use a rate from {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz."
            )
        if not 1 <= max_block_frames <= MAX_BLOCK_FRAMES:
            raise StreamError(
                f"Blocks of {max_block_frames} frames are not supported; use 1 to {MAX_BLOCK_FRAMES} frames."
            )
        self._max_block_frames = max_block_frames
        self._to_model = Resampler(sample_rate_hz, SAMPLE_RATE_HZ)
        self._to_device = Resampler(SAMPLE_RATE_HZ, sample_rate_hz)
        model_samples = self._to_model.delay_samples + self._plan.latency_samples
        model_frames = ceil(model_samples * sample_rate_hz / SAMPLE_RATE_HZ)
        self.latency_frames = model_frames + self._to_device.delay_samples
        self._dry = Ring(self.latency_frames + max_block_frames)
        self._wet = Ring(self.latency_frames + max_block_frames)
        ramp_samples = max(1, round(RAMP_MS * sample_rate_hz / 1000.0))
        self._wet_ramp = GainRamp(ramp_samples, self.parameters.wet_gain)
        self._output_ramp = GainRamp(ramp_samples, self.parameters.output_gain)
        self.reset()

    def reset(self) -> None:
        """Start a new stream with the same settings: the same input then gives the same output."""
        for part in (self._to_model, self._to_device, self._cutter, self._crossfade, self._restorer):
            part.reset()
        self._dry.restart()
        self._wet.restart()
        self._wet_ramp.jump(self.parameters.wet_gain)
        self._output_ramp.jump(self.parameters.output_gain)
        self.stats.clear()
        self.ladder.reset()
        self._restorer_is_behind, self._compute_seconds = False, 0.0
        self.failures_in_a_row = 0
        self.continuation = Continuation()

    def process(self, block: Samples) -> Samples:
        """float32 [n] in, float32 [n] out, `latency_frames` late and never outside -1..1.

        Raises StreamError when the block is not mono or longer than prepared for, GraphicsCardError when
        the restorer does.
        """
        if block.ndim != 1 or len(block) > self._max_block_frames:
            raise StreamError(
                f"A block has shape {block.shape}; send mono ones of up to {self._max_block_frames} frames."
            )
        clean = without_wild_numbers(block)
        self._dry.write(clean)
        for window in self._cutter.push(self._to_model.push(clean)):
            restored = self._restore(window)
            with self.timer("crossfade"):
                hop = self._crossfade.join(restored[: self._plan.hop_samples + self._plan.fade_samples])
            self._wet.write(self._to_device.push(limit(hop)))
            self.continuation = self._look_ahead(hop, restored)
        start = self._dry.written - len(block) - self.latency_frames
        return self._mix(self._dry.read(start, len(block)), self._wet.read(start, len(block)))

    def _look_ahead(self, hop: Samples, restored: Samples) -> Continuation:
        """From the last block of `hop` on, the only one that is not given out when the next is restored."""
        last = hop[-self._max_block_frames :]
        sound = limit(np.append(last, restored[len(hop) :])[:LONGEST_FRAMES])
        return Continuation(self._wet.written + self.latency_frames - len(last), sound)

    def _mix(self, dry: Samples, wet: Samples) -> Samples:
        wet_gain = self._wet_ramp.advance(self.parameters.wet_gain, len(dry))
        output_gain = self._output_ramp.advance(self.parameters.output_gain, len(dry))
        return np.clip(dry * (1.0 - wet_gain) + wet * wet_gain, -1.0, 1.0) * output_gain

    def _restore(self, window: Samples) -> Samples:
        """The restored hop and its tail, or the dry ones."""
        dry = self._dry_restorer.restore_window(window)
        passes = self.ladder.next_passes(self._compute_seconds, self.behind_seconds)
        self._compute_seconds = 0.0
        if passes == 0:
            return self._fall_back(dry, _("the machine could not keep up"))
        if self._restorer_is_behind:
            self._restorer.reset()
        self._restorer.passes = passes
        started = perf_counter()
        try:
            restored = self._restorer.restore_window(window)
        except GraphicsCardError:
            raise
        except RESTORER_ERRORS as error:
            return self._fail(dry, str(error) or type(error).__name__)
        if restored.shape != dry.shape or not np.isfinite(restored).all():
            return self._fail(dry, _("the model returned samples that are not finite or not enough"))
        self._compute_seconds = perf_counter() - started
        self.stats.record_restored_hop(self._compute_seconds)
        self._restorer_is_behind, self.failures_in_a_row = False, 0
        return restored

    def _fail(self, dry: Samples, error: str) -> Samples:
        self.failures_in_a_row += 1
        return self._fall_back(dry, error)

    def _fall_back(self, dry: Samples, error: str) -> Samples:
        self.stats.record_dry_hop(error)
        self._restorer_is_behind = True
        return dry
