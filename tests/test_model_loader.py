"""Where the preset is left to the program, what the machine can do decides."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.bundle import Bundle
from model.codec import Codec
from model.errors import GraphicsCardError
from presets.preset import load_preset
from realtime import model_loader
from realtime.model_loader import LIVE_PRESETS, load_model
from realtime.model_process import ModelOrder
from tests.failing_card import FULL, LOST
from tests.signals import noise


@pytest.mark.parametrize(("comfortable_load", "preset"), [(1e6, LIVE_PRESETS[0]), (0.0, LIVE_PRESETS[-1])])
def test_the_least_delay_that_the_machine_keeps_up_with_is_chosen(
    monkeypatch: pytest.MonkeyPatch, comfortable_load: float, preset: str
) -> None:
    monkeypatch.setattr(model_loader, "COMFORTABLE_LOAD", comfortable_load)
    shares: list[float] = []
    loaded = load_model(ModelOrder(), shares.append)
    assert loaded.preset == preset
    assert loaded.restorer.plan == load_preset(preset).plan
    assert shares == sorted(shares) and 0.0 < shares[0] < shares[-1] < 1.0


def test_a_preset_that_is_named_is_not_put_to_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_loader, "COMFORTABLE_LOAD", 0.0)
    loaded = load_model(ModelOrder("call", passes=3), lambda share: None)
    assert (loaded.preset, loaded.restorer.passes) == ("call", 3)


def test_what_is_loaded_begins_as_a_new_stream_does(tiny_preset: Path) -> None:
    restorer = load_model(ModelOrder(str(tiny_preset)), lambda share: None).restorer
    window = noise(restorer.plan.window_samples)
    first = restorer.restore_window(window)
    restorer.restore_window(window)
    restorer.reset()
    np.testing.assert_array_equal(restorer.restore_window(window), first)


@pytest.mark.filterwarnings("ignore:The graphics card has no memory left")
@pytest.mark.parametrize("error", [FULL, LOST])
def test_a_graphics_card_that_does_not_take_the_model_is_told(
    error: RuntimeError, tiny_preset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, build_codec = ModelOrder(str(tiny_preset)), Bundle.build_codec
    assert load_model(order, lambda share: None).notice is None

    def build_where_there_is_room(bundle: Bundle, device: torch.device, dtype: torch.dtype) -> Codec:
        if device.type == "cuda":
            raise error
        return build_codec(bundle, device, dtype)

    monkeypatch.setattr(Bundle, "build_codec", build_where_there_is_room)
    for module in ("model.masksr", "model.training"):
        monkeypatch.setattr(f"{module}.device_and_dtype", lambda: (torch.device("cuda"), torch.bfloat16))
    loaded = load_model(order, lambda share: None)
    assert (loaded.device, loaded.notice) == ("CPU", GraphicsCardError().notice)
