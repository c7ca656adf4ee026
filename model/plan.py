"""The frame grid of the codec and the shape of a live window on it."""

from dataclasses import dataclass
from typing import Literal

SAMPLE_RATE_HZ = 44_100
FRAME_SAMPLES = 512  # one codec frame: 11.61 ms

Sampling = Literal["rolling", "restarting"]  # whether windows share their passes or each spends its own


@dataclass(frozen=True)
class WindowPlan:
    """How a stream is cut into overlapping windows: `context + hop + lookahead` codec frames.

    The restorer sees the whole window, and is asked for the hop and the first `fade_samples` of the
    look-ahead, which the next window's hop is faded into. The fade therefore costs no delay.
    """

    context_frames: int
    hop_frames: int
    lookahead_frames: int
    fade_samples: int

    def __post_init__(self) -> None:
        if self.hop_frames < 1 or min(self.context_frames, self.lookahead_frames) < 0:
            raise ValueError("a window needs at least one hop frame and no negative length")
        if not 0 <= self.fade_samples <= min(self.lookahead_samples, self.hop_samples):
            raise ValueError("the fade must fit into the look-ahead and into the hop")

    @property
    def window_frames(self) -> int:
        return self.context_frames + self.hop_frames + self.lookahead_frames

    @property
    def window_samples(self) -> int:
        return self.window_frames * FRAME_SAMPLES

    @property
    def hop_samples(self) -> int:
        return self.hop_frames * FRAME_SAMPLES

    @property
    def lookahead_samples(self) -> int:
        return self.lookahead_frames * FRAME_SAMPLES

    @property
    def visits(self) -> int:
        """Windows that see a frame in hop or look-ahead; some frames are seen by one more."""
        return 1 + self.lookahead_frames // self.hop_frames

    @property
    def latency_samples(self) -> int:
        """Delay from a sample entering to the same sample leaving, at 44.1 kHz, computing aside."""
        return self.hop_samples + self.lookahead_samples
