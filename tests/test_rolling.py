"""Rolling sampling spends its passes over several hops, on every frame, and keeps what it has decided."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model.arrays import FloatArray
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, Sampling, WindowPlan
from model.rolling import RollingSampler
from model.sampler import COARSE_FIRST
from tests.signals import noise, windows

HOPS_FIT = WindowPlan(context_frames=6, hop_frames=4, lookahead_frames=8, fade_samples=441)
PLANS = [HOPS_FIT, WindowPlan(6, 3, 7, 441), WindowPlan(0, 2, 5, 0), WindowPlan(6, 4, 2, 441)]
HOPS = 8


class Watched:
    """A stream, the tokens of every call of its language model and the ages it had before every hop."""

    def __init__(
        self, model: MaskSR, plan: WindowPlan, passes: int, sampling: Sampling = "rolling", **more: Any
    ) -> None:
        self.stream = model.stream(plan, sampling=sampling, passes=passes, temperature=1.0, **more)
        self.model, self.plan = model, plan
        self.seen: list[list[Tensor]] = []
        self.ages: list[list[int]] = []

    def restore(self, audio: FloatArray, passes: list[int] | None = None) -> list[FloatArray]:
        """Restore all windows, each with the passes the list says in turn."""
        hook = self.model.language_model.register_forward_pre_hook(self._see)
        restored = []
        for number, window in enumerate(windows(audio, self.plan)):
            self.stream.passes = passes[number % len(passes)] if passes else self.stream.passes
            self.seen.append([])
            if isinstance(sampler := self.stream.sampler, RollingSampler):
                self.ages.append(list(sampler.age_passes))
            restored.append(self.stream.restore_window(window))
        hook.remove()
        return restored

    def _see(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.seen[-1].append(inputs[0])


def long_noise(plan: WindowPlan, hops: int = HOPS) -> FloatArray:
    return noise((hops * plan.hop_frames + plan.lookahead_frames) * FRAME_SAMPLES)


@pytest.mark.parametrize("passes", [1, 2])
def test_what_is_masked_falls_with_age_as_the_schedule_says(model: MaskSR, passes: int) -> None:
    watched = Watched(model, HOPS_FIT, passes)
    watched.restore(long_noise(HOPS_FIT))
    together = HOPS_FIT.hop_frames * model.codec.codebooks
    counts = []
    for hop in range(3):  # the frames that enter with window 5
        frames = slice(14 - 4 * hop, 18 - 4 * hop)
        counts += [int((t[:, :, frames] == model.mask_token).sum()) for t in watched.seen[5 + hop]]
    total = 3 * passes
    assert counts == [math.floor(together * math.cos(math.pi / 2 * (i / total) ** 4)) for i in range(total)]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("passes", [1, 2])
def test_every_frame_receives_the_passes_it_was_promised(
    model: MaskSR, plan: WindowPlan, passes: int
) -> None:
    watched = Watched(model, plan, passes)
    watched.restore(long_noise(plan))
    hops = [ages[: plan.hop_frames] for ages in watched.ages[plan.visits :]]
    assert {age + passes for ages in hops for age in ages} <= {
        passes * plan.visits,
        passes * (plan.visits + 1),
    }
    assert watched.ages[0] == [0] * (plan.hop_frames + plan.lookahead_frames)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("passes", [1, 2])
def test_every_hop_costs_the_same(model: MaskSR, plan: WindowPlan, passes: int) -> None:
    watched = Watched(model, plan, passes)
    watched.restore(long_noise(plan))
    shape = (1, model.codec.codebooks, plan.window_frames)
    assert [[tokens.shape for tokens in calls] for calls in watched.seen] == [[shape] * passes] * HOPS


@pytest.mark.parametrize("plan", PLANS)
def test_what_is_decided_stays_until_it_is_given_out(model: MaskSR, plan: WindowPlan) -> None:
    watched = Watched(model, plan, passes=2)
    watched.restore(long_noise(plan))
    hop = plan.hop_frames
    for window, following in zip(watched.seen, watched.seen[1:], strict=False):
        for earlier, later in [(window[0], window[1]), (window[1][:, :, hop:], following[0][:, :, :-hop])]:
            decided = earlier != model.mask_token
            assert torch.equal(later[decided], earlier[decided])
        assert (following[0][:, :, : plan.context_frames] != model.mask_token).all()
        assert (following[0][:, :, -hop:] == model.mask_token).all()


@pytest.mark.parametrize("plan", PLANS)
def test_passes_may_change_from_hop_to_hop(model: MaskSR, plan: WindowPlan) -> None:
    watched, schedule = Watched(model, plan, passes=1), [2, 1, 1, 4, 3]
    restored = watched.restore(long_noise(plan), schedule)
    assert [len(calls) for calls in watched.seen] == [schedule[n % 5] for n in range(HOPS)]
    for number, calls in enumerate(watched.seen):
        assert (calls[0][:, :, : plan.context_frames] != model.mask_token).all()
        assert np.isfinite(restored[number]).all()
    assert min(age for ages in watched.ages[plan.visits :] for age in ages[: plan.hop_frames]) >= (
        plan.visits - 1
    )


def test_without_lookahead_it_is_restarting(model: MaskSR) -> None:
    plan = WindowPlan(6, 4, 0, 0)
    rolling, restarting = (
        Watched(model, plan, 3, sampling, unmasking=COARSE_FIRST) for sampling in ("rolling", "restarting")
    )
    np.testing.assert_array_equal(rolling.restore(long_noise(plan)), restarting.restore(long_noise(plan)))


def test_the_hops_of_a_stream_share_their_passes(model: MaskSR) -> None:
    rolling, restarting = (Watched(model, HOPS_FIT, 1, sampling) for sampling in ("rolling", "restarting"))
    assert not np.array_equal(rolling.restore(long_noise(HOPS_FIT)), restarting.restore(long_noise(HOPS_FIT)))
    assert all((calls[0][:, :, 6:] == model.mask_token).all() for calls in restarting.seen)
    assert all((calls[0][:, :, 6:10] != model.mask_token).any() for calls in rolling.seen[1:])


def test_a_reset_forgets_what_was_provisional(model: MaskSR) -> None:
    watched = Watched(model, HOPS_FIT, passes=2)
    watched.restore(long_noise(HOPS_FIT))
    watched.stream.reset()
    watched.restore(long_noise(HOPS_FIT, hops=1))
    assert watched.ages[-1] == [0] * 12
    first = watched.seen[-1][0]
    assert torch.equal(first[:, :, :6], model.silent_frame.expand(-1, -1, 6))
    assert (first[:, :, 6:] == model.mask_token).all()
