"""A restorer that changes nothing: the dry signal, cut and delayed exactly as a restored one."""

from model.plan import FRAME_SAMPLES, WindowPlan
from realtime.ring import Samples


class PassThrough:
    """Returns hop and look-ahead of the window it is given."""

    passes = 1

    def __init__(self, plan: WindowPlan) -> None:
        self.plan = plan

    def restore_window(self, noisy: Samples) -> Samples:
        """float32 [plan.window_samples] -> float32 [plan.hop_samples + plan.lookahead_samples], a copy."""
        return noisy[self.plan.context_frames * FRAME_SAMPLES :].copy()

    def reset(self) -> None:
        """Nothing to forget."""
