"""The recogniser hears the same in the same sound at its place in time; its loss is that of a forecast."""

import numpy as np
import pytest
import soundfile
import torch

from model.arrays import FloatArray
from model.plan import FRAME_SAMPLES, SAMPLE_RATE_HZ
from model.recogniser import FEATURES, Recogniser, RecogniserLoss
from realtime.demo import SAMPLE

FRAMES, LATE = 96, 12


@pytest.fixture(scope="module")
def windows() -> FloatArray:
    """Speech, and speech that begins some frames later."""
    speech, _ = soundfile.read(SAMPLE, dtype="float32")
    speech = speech[SAMPLE_RATE_HZ:]
    starts = (0, LATE * FRAME_SAMPLES)
    return np.stack([speech[start : start + FRAMES * FRAME_SAMPLES] for start in starts])


def test_what_is_heard_keeps_its_place_in_time(windows: FloatArray) -> None:
    heard = Recogniser().hear(windows)
    assert heard.shape == (2, FRAMES, FEATURES)
    early, late = (heard - heard.mean((0, 1))) / heard.std((0, 1))
    agreement = {
        shift: float(np.mean(early[LATE + 24 + shift : LATE + 60 + shift] * late[24:60]))
        for shift in (-12, -6, 0, 6, 12)
    }
    assert max(agreement, key=lambda shift: agreement[shift]) == 0
    assert agreement[0] > 0.5


def test_a_linear_layer_learns_to_foretell_what_depends_on_what_is_known() -> None:
    torch.manual_seed(0)
    loss, known = RecogniserLoss(8), torch.randn(4, 50, 8)
    heard = 3.0 + known @ torch.randn(8, FEATURES)
    optimizer = torch.optim.Adam(loss.parameters(), 0.05)
    assert loss(known, heard).item() > 0.8
    for _ in range(150):
        optimizer.zero_grad()
        (value := loss(known, heard)).backward()
        optimizer.step()
    assert value.item() < 0.05
    assert loss(torch.randn(4, 50, 8), heard).item() > 0.8
