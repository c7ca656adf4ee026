"""A session that goes on for a while loses nothing, grows nothing and keeps its delay."""

import soundfile

from realtime.demo import SAMPLE
from realtime.soak import soak
from tests.models import load_inverter
from tests.pulse_server import PulseServer
from tests.witness import witness


def test_a_session_of_a_minute_loses_no_sound_grows_no_memory_and_keeps_its_delay() -> None:
    voice = soundfile.read(SAMPLE, frames=3 * 44_100, dtype="float32")[0]
    shares: list[float] = []
    with PulseServer(), witness() as machine:
        figures = soak(voice, 1.0, None, shares.append, load_inverter)
    assert figures.seconds >= 60.0
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert figures.hops > 60 / 0.05
    assert max(figures.audio_growth_mb, figures.model_growth_mb) < 5.0
    assert figures.dropouts == 0 or machine.saw_starving
    assert figures.most_delay_ms - figures.least_delay_ms <= 10.0 or machine.saw_starving
