"""Rolling sampling: the passes of a masked token model, spread over the hops of a stream (DESIGN section 4).

A frame is first predicted when it enters the look-ahead, and in every hop from then on until it is given out.
It so receives several passes, though a hop costs one or two. Each time, its surest tokens are decided and the
others masked again, fewer of them the older the frame.
"""

import torch
from torch import Tensor

from model.plan import WindowPlan
from model.sampler import Draw, Predict, Unmasking, cosine_share

LATENESS = 4.0


def late_share(progress: float, lateness: float = LATENESS) -> float:
    """The share of a frame's tokens that are masked once `progress`, 0 to 1, of its passes are done.

    Most wait for the frame's last hop, since what is decided earlier has not heard all of its look-ahead.
    """
    return cosine_share(progress**lateness)


LATE = Unmasking(share=late_share)


class RollingSampler:
    """Samples the windows of a stream, each from where the one before left off.

    The state is `tokens`, int64 [batch, codebooks, window frames], in which undecided ones are masked, and
    `age_passes`, one a frame after the context: the passes that it has received. No frame of a new stream
    has received any, so the first ones are given out after fewer passes than `WindowPlan.visits` promises.
    """

    def __init__(self, plan: WindowPlan, silent_frame: Tensor, mask_token: int) -> None:
        self._plan, self._silent_frame, self._mask_token = plan, silent_frame, mask_token
        self.reset()

    def reset(self) -> None:
        """Begin a new stream, preceded by silence."""
        self.tokens = self._silent_frame.repeat(1, 1, self._plan.window_frames)
        self.tokens[:, :, self._plan.context_frames :] = self._mask_token
        self.age_passes = [0] * (self._plan.hop_frames + self._plan.lookahead_frames)

    def next_window(self, predict: Predict, passes: int, draw: Draw) -> Tensor:
        """Tokens of the next window, int64 [batch, codebooks, window frames], none of them masked.

        The first `hop_frames` after the context are final, those that follow may still change. `predict` is
        that of `model.sampler.sample` and leaves out the context; `passes` may differ from hop to hop.
        """
        context = self._plan.context_frames
        for left in reversed(range(passes)):
            past, newest = self.tokens[:, :, :context], self.tokens[:, :, context:]
            filled, rank = draw.fill(newest, predict(self.tokens))
            self.age_passes = [age + 1 for age in self.age_passes]
            self.tokens = torch.cat([past, self._remask(filled, rank, passes, left, draw)], dim=2)
        self._roll()
        return torch.cat([past, filled], dim=2)

    def _remask(self, filled: Tensor, rank: Tensor, passes: int, left: int, draw: Draw) -> Tensor:
        """Mask again, among the frames that leave together, the least sure tokens."""
        hop, codebooks = self._plan.hop_frames, filled.shape[1]
        groups = []
        for start in range(0, filled.shape[2], hop):
            group = slice(start, start + hop)
            still = passes * (start // hop) + left  # passes to come, were all hops like this one
            shares = [draw.unmasking.share(age / (age + still)) for age in self.age_passes[group]]
            count = int(codebooks * sum(shares) + 1e-9)
            groups.append(draw.remask(filled[:, :, group], rank[:, :, group], count))
        return torch.cat(groups, dim=2)

    def _roll(self) -> None:
        """Move on by a hop, whose newest frames nobody has sampled yet."""
        hop = self._plan.hop_frames
        self.tokens = self.tokens.roll(-hop, dims=2)
        self.tokens[:, :, -hop:] = self._mask_token
        self.age_passes = self.age_passes[hop:] + [0] * hop
