"""Ideal tokens tell what a language model could bring: they stand where speech was missing, or masked."""

import pytest
from torch import nn

from model.evaluate import Audio
from model.ideal_tokens import ideal_tokens
from model.masksr import MaskSR
from model.measures import level_change_db
from model.plan import WindowPlan
from tests.copier import load_copier, melody
from tests.signals import noise

PLAN = WindowPlan(context_frames=12, hop_frames=4, lookahead_frames=3, fade_samples=441)
CLEAN = melody(2.0)[:80_001]
NOTHING, SOME, ALL = -8.0, -2.0, 4.0  # to pass, or to fill in


@pytest.fixture
def copier() -> MaskSR:
    return load_copier()


def restored(model: MaskSR, gate: float, filling: float) -> list[Audio]:
    encoder = model.language_model.speech_encoder
    nn.init.constant_(encoder.gate.bias, gate)
    nn.init.constant_(encoder.filling.bias, filling)
    return [restore(noise(len(CLEAN)), CLEAN) for restore in ideal_tokens(model, PLAN).values()]


def error_db(found: Audio) -> float:
    return level_change_db(CLEAN, found - CLEAN)


def test_what_was_filled_in_is_replaced(copier: MaskSR) -> None:
    assert all(error_db(sound) < -3.0 for sound in restored(copier, NOTHING, SOME))


def test_what_was_masked_is_replaced_where_that_is_wanted(copier: MaskSR) -> None:
    missing, masked = restored(copier, NOTHING, NOTHING)
    assert error_db(masked) < -3.0
    assert error_db(missing) > -1.0


def test_what_was_heard_stays(copier: MaskSR) -> None:
    for sound in restored(copier, ALL, NOTHING):
        assert level_change_db(noise(len(CLEAN)), sound - noise(len(CLEAN))) < -10.0
