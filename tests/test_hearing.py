"""A stream is heard window by window: what was given out stays as it was heard, all else is heard anew."""

from copy import deepcopy
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from model.arrays import FloatArray
from model.hearing import Hearing
from model.masksr import MaskSR
from model.plan import FRAME_SAMPLES, WindowPlan
from tests.signals import noise, windows

PLAN = WindowPlan(context_frames=12, hop_frames=4, lookahead_frames=3, fade_samples=0)


def hearing(model: MaskSR, seed: int = 0) -> Hearing:
    return Hearing(model.language_model, model.codec, PLAN, seed)


def heard(listener: Hearing) -> list[Tensor]:
    return [listener.next_window(window) for window in some_windows()]


def some_windows() -> list[FloatArray]:
    return list(windows(noise(20 * FRAME_SAMPLES), PLAN))


def test_what_was_given_out_stays_as_it_was_heard(model: MaskSR) -> None:
    conditions = heard(hearing(model))
    for before, after in pairwise(conditions):
        assert before.shape == after.shape == (1, PLAN.window_frames, before.shape[2])
        assert torch.equal(after[:, :12], before[:, 4:16])
        assert not torch.equal(after[:, 12:15], before[:, 16:])


def test_what_is_new_is_heard_with_all_of_its_window(model: MaskSR) -> None:
    listener = hearing(model)
    for window in some_windows():
        noise = listener.noise
        condition = listener.next_window(window)
        whole, _ = model.language_model.encode(torch.from_numpy(window)[None], noise, model.codec)
        torch.testing.assert_close(condition[:, 12:], whole[:, 12:], rtol=1e-4, atol=1e-5)


def test_what_fills_in_moves_on_with_the_sound(model: MaskSR) -> None:
    listener, noises = hearing(model), []
    for window in some_windows():
        noises.append(listener.noise)
        listener.next_window(window)
    for before, after in pairwise(noises):
        assert torch.equal(after[:, : -PLAN.hop_samples], before[:, PLAN.hop_samples :])
    fresh = torch.cat([noises[0], *(noise[:, -PLAN.hop_samples :] for noise in noises[1:])], dim=1)
    assert float(fresh.std()) == pytest.approx(1.0, abs=0.02)


def test_a_new_stream_begins_as_the_first_did(model: MaskSR) -> None:
    listener = hearing(model)
    first = heard(listener)
    assert not torch.equal(heard(listener)[0], first[0])
    listener.reset()
    assert all(torch.equal(a, b) for a, b in zip(heard(listener), first, strict=True))


@pytest.mark.parametrize(("filling", "is_kept"), [(-20.0, True), (1e4, False)])
def test_what_was_heard_is_kept_and_what_was_missing_is_generated(
    model: MaskSR, filling: float, is_kept: bool
) -> None:
    """The last hop of a stream and two frames on either side."""
    language_model = deepcopy(model.language_model)
    torch.nn.init.constant_(language_model.speech_encoder.filling.bias, filling)
    listener = Hearing(language_model, model.codec, PLAN, seed=0)
    generated = torch.from_numpy(noise(8 * FRAME_SAMPLES, seed=1))[None]
    for window in some_windows():
        heard = language_model.speech_encoder(torch.from_numpy(window)[None], listener.noise).enhanced
        listener.next_window(window)
    inner = slice(2 * FRAME_SAMPLES, -2 * FRAME_SAMPLES)
    expected = heard[:, 10 * FRAME_SAMPLES : 18 * FRAME_SAMPLES] if is_kept else generated
    torch.testing.assert_close(listener.keep(generated, 10)[:, inner], expected[:, inner], rtol=0, atol=1e-3)
