"""Hops and gains join without a step."""

import numpy as np
import pytest

from realtime.crossfade import Crossfade, GainRamp
from realtime.ring import Samples
from tests.signals import noise

HOP, FADE = 400, 100


def pieces(signal: Samples) -> list[Samples]:
    return [signal[start : start + HOP + FADE] for start in range(0, len(signal) - HOP - FADE + 1, HOP)]


@pytest.mark.parametrize("fade", [0, 1, FADE])
def test_pieces_that_agree_come_out_unchanged(fade: int) -> None:
    signal = noise(5 * HOP + FADE)
    crossfade = Crossfade(fade)
    joined = np.concatenate([crossfade.join(piece[: HOP + fade]) for piece in pieces(signal)])
    np.testing.assert_allclose(joined, signal[: 5 * HOP], atol=1e-6)


def test_pieces_that_disagree_meet_without_a_step() -> None:
    crossfade = Crossfade(FADE)
    levels = [0.2, 0.8, -0.5]
    joined = np.concatenate([crossfade.join(np.full(HOP + FADE, level, np.float32)) for level in levels])
    assert np.abs(np.diff(joined)).max() < 0.5 * np.pi * 1.3 / FADE * 1.05
    np.testing.assert_allclose(joined[[HOP - 1, HOP + FADE, 2 * HOP + FADE]], levels, atol=1e-6)


def test_the_piece_given_in_is_left_alone() -> None:
    crossfade, piece = Crossfade(FADE), np.ones(HOP + FADE, np.float32)
    crossfade.join(np.zeros(HOP + FADE, np.float32))
    crossfade.join(piece)
    np.testing.assert_array_equal(piece, 1.0)


def test_after_reset_nothing_of_the_old_stream_is_heard() -> None:
    crossfade = Crossfade(FADE)
    crossfade.join(np.ones(HOP + FADE, np.float32))
    crossfade.reset()
    np.testing.assert_array_equal(crossfade.join(np.zeros(HOP + FADE, np.float32)), 0.0)


def test_gain_ramp_moves_in_small_steps_and_arrives_exactly() -> None:
    ramp = GainRamp(50, 1.0)
    gains = np.concatenate(
        [ramp.advance(1.0, 10), ramp.advance(0.3, 20), ramp.advance(0.9, 7), ramp.advance(0.9, 60)]
    )
    assert np.abs(np.diff(gains)).max() <= 1.0 / 50
    assert gains[9] == 1.0
    assert gains[-1] == np.float32(0.9)


def test_gain_ramp_does_not_depend_on_block_size() -> None:
    whole, parts = GainRamp(50, 1.0), GainRamp(50, 1.0)
    np.testing.assert_array_equal(
        np.concatenate([parts.advance(0.0, size) for size in (1, 0, 30, 7, 40)]), whole.advance(0.0, 78)
    )
