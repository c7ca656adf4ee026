"""The cost of a hop is split into its parts, and a model that fails is no measurement."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from model.masksr import MaskSR
from model.plan import SAMPLE_RATE_HZ
from presets.preset import load_preset
from realtime.hop_cost import HopCost, measure_hops
from realtime.processor import StreamError
from tests.signals import noise

HOPS = 5


def measured(model: MaskSR, preset: Path, passes: int) -> HopCost:
    settings = load_preset(preset, passes=passes)
    stream = model.stream(settings.plan, **settings.stream_settings)
    cost = measure_hops(stream, noise(SAMPLE_RATE_HZ), HOPS)
    assert stream.timer is nullcontext
    return cost


@pytest.fixture(scope="module")
def model(tiny_bundle: Path) -> MaskSR:
    return MaskSR.load(tiny_bundle)


@pytest.mark.parametrize("passes", [1, 3])
def test_a_hop_is_measured_part_by_part(model: MaskSR, tiny_preset: Path, passes: int) -> None:
    cost = measured(model, tiny_preset, passes)
    assert cost.hops == HOPS
    assert cost.hop_ms == pytest.approx(8 * 512 / 44.1)
    assert cost.latency_ms == pytest.approx(12 * 512 / 44.1)
    assert set(cost.parts) == {"encode", "pass", "draw", "decode", "crossfade", "overhead", "hop"}
    for times in cost.parts.values():
        assert 0 < times.p50_ms <= times.p95_ms <= times.p99_ms <= cost.parts["hop"].p99_ms
    assert cost.real_time_factor * cost.hop_ms < cost.parts["hop"].p99_ms


def test_a_failing_model_is_an_error(
    model: MaskSR, tiny_preset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model.codec, "decode", fail)
    with pytest.raises(StreamError, match=r"The model failed \(out of memory\)"):
        measured(model, tiny_preset, passes=1)
