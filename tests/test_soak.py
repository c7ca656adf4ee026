"""A session that goes on for a while loses nothing, grows nothing and keeps its delay."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import soundfile

from main import main
from realtime.demo import SAMPLE
from realtime.ring import Samples
from realtime.soak import Soak, soak
from tests.models import load_inverter, load_mute
from tests.pulse_server import PulseServer, at_best
from tests.witness import witness

pytestmark = pytest.mark.live


def voice(seconds: float) -> Samples:
    sound: Samples = soundfile.read(SAMPLE, frames=round(seconds * 44_100), dtype="float32")[0]
    return sound


def test_a_session_of_half_a_minute_loses_no_sound_grows_no_memory_and_keeps_its_delay() -> None:
    at_best(check_half_a_minute)


def check_half_a_minute() -> None:
    shares: list[float] = []
    with PulseServer(), witness() as machine:
        figures = soak(voice(3.0), 0.5, None, shares.append, load_inverter)
    assert figures.seconds >= 30.0
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert figures.hops > 30 / 0.05
    assert max(figures.audio_growth_mb, figures.model_growth_mb) < 5.0
    assert figures.rounds > 30 / 6
    assert figures.lost_rounds == 0
    assert figures.dropouts == 0 or machine.saw_starving
    assert figures.most_delay_ms is not None
    assert figures.least_delay_ms is not None
    assert figures.most_delay_ms - figures.least_delay_ms <= 10.0 or machine.saw_starving


def test_a_round_that_is_lost_is_counted_and_the_others_go_on(tmp_path: Path) -> None:
    switch = tmp_path / "mute"

    def mute_after_the_second_round(share: float) -> None:
        switch.unlink() if switch.exists() else switch.touch()

    with PulseServer():
        load = partial(load_mute, switch)
        figures = soak(voice(2.0), 0.2, None, mute_after_the_second_round, load)
    assert figures.rounds > 3
    assert 0 < figures.lost_rounds < figures.rounds - 1
    assert figures.first_delay_ms is not None


def test_a_soak_that_hears_nothing_prints_its_figures_and_fails(
    pulse: PulseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mute").touch()

    def soak_mute(
        voice: Samples, minutes: float, preset: str | None, on_progress: Callable[[float], None]
    ) -> Soak:
        return soak(voice[:44_100], minutes, preset, on_progress, partial(load_mute, tmp_path / "mute"))

    monkeypatch.setattr("realtime.soak.soak", soak_mute)
    assert main(["soak", "--minutes", "0.02", "--json"]) == 1
    told = capsys.readouterr()
    figures = json.loads(told.out)
    assert figures["lost_rounds"] == figures["rounds"] == 2
    assert figures["first_delay_ms"] is None
    assert "The voice was lost in 2 of 2 rounds" in told.err
