"""Sound waits as long as it has to and no longer, whatever clocks and threads do: minutes, simulated."""

from collections.abc import Callable

import numpy as np
import pytest

from model.plan import SAMPLE_RATE_HZ
from realtime import delay_keeper
from realtime.delay_keeper import CALM_SECONDS, MORE_CUSHION_SECONDS, DelayKeeper
from realtime.playout import Playout

BLOCK_SECONDS = 0.01
CUSHION_SECONDS = 0.04
JITTER_SECONDS = 0.002


class Session:
    """A microphone, `drift` too fast, and a listener, whose blocks all come a little late."""

    def __init__(
        self,
        playback_hz: int,
        drift: float,
        monkeypatch: pytest.MonkeyPatch,
        cushion_seconds: float = CUSHION_SECONDS,
    ) -> None:
        self.now, self.drift = 0.0, drift
        monkeypatch.setattr(delay_keeper, "monotonic", lambda: self.now)
        self.block_frames = round(BLOCK_SECONDS * playback_hz)
        self.playout = Playout(playback_hz, self.block_frames, is_steered=True)
        self.keeper = DelayKeeper(SAMPLE_RATE_HZ, self.playout, round(cushion_seconds * playback_hz))
        self.captured = self.mixed = 0
        self.random = np.random.default_rng(0)
        self.out = np.zeros(self.block_frames, np.float32)

    def run(self, seconds: float, stalled_seconds: float = 0.0) -> list[float]:
        """How long sound waited in each second; what comes in the last `stalled_seconds` comes later."""
        waits = []
        for block in range(round(seconds / BLOCK_SECONDS)):
            self.now += BLOCK_SECONDS
            self.listen()
            if (block + 1) * BLOCK_SECONDS <= seconds - stalled_seconds:
                self.hear()
            if block % round(1.0 / BLOCK_SECONDS) == 0:
                waits.append(self.playout.waiting_frames(self.playout.asked) / self.playout.rate_hz)
        return waits

    def listen(self) -> None:
        self.at_some_time(self.keeper.asked, self.playout.asked)
        self.playout.playback(self.out)

    def hear(self) -> None:
        """All that is due."""
        self.at_some_time(self.keeper.heard, self.captured)
        due = round(self.now * SAMPLE_RATE_HZ * (1.0 + self.drift))
        self.playout.push(np.zeros(due - self.captured, np.float32))
        self.captured = due
        if not self.playout.is_started:
            self.playout.align(self.keeper.cushion_frames)
        self.keeper.keep(self.captured / SAMPLE_RATE_HZ)

    def at_some_time(self, tell: Callable[[int, float], None], frame: int) -> None:
        late = self.random.uniform(0.0, JITTER_SECONDS)
        self.now += late
        tell(frame, 0.02)
        self.now -= late


def test_sound_that_has_to_wait_for_long_waits_for_longer_when_it_came_too_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session(48_000, 0.0, monkeypatch, cushion_seconds=0.17)  # as a microphone of 8 kHz needs
    session.run(20.0, stalled_seconds=0.2)
    before = session.keeper.cushion_frames
    session.run(10.0)
    assert session.playout.dropouts > 0
    assert session.keeper.cushion_frames > before


@pytest.mark.parametrize("drift", [200e-6, -200e-6])
@pytest.mark.parametrize("playback_hz", [44_100, 48_000])
def test_clocks_that_differ_cost_nothing(
    playback_hz: int, drift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(playback_hz, drift, monkeypatch)
    waits = session.run(180.0)[20:]
    assert session.playout.dropouts == 0
    assert max(waits) - min(waits) < 0.005


def test_sound_that_came_late_has_it_wait_longer_and_calm_less_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(44_100, 0.0, monkeypatch)
    before = session.run(20.0)[-1]
    session.run(1.0, stalled_seconds=0.1)
    assert session.playout.dropouts > 0
    longer = session.run(10.0)[-1]
    assert longer - before == pytest.approx(MORE_CUSHION_SECONDS, abs=0.003)
    dropouts = session.playout.dropouts
    assert session.run(3 * CALM_SECONDS)[-1] - before == pytest.approx(0.0, abs=0.003)
    assert session.playout.dropouts == dropouts


def test_sound_that_nearly_came_late_has_it_wait_longer_by_and_by(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(44_100, 200e-6, monkeypatch, cushion_seconds=0.046)
    before, cushion_frames = session.run(20.0)[-1], session.keeper.cushion_frames
    session.run(1.0, stalled_seconds=2.5 * BLOCK_SECONDS)
    waits = []
    for _ in range(60):
        waits += session.run(1.0)
        longer = (session.keeper.cushion_frames - cushion_frames) / 44_100
        assert waits[-1] - before == pytest.approx(longer, abs=0.003)  # what is told is true all the while
    assert np.abs(np.diff([before, *waits])).max() < 0.002
    assert waits[-1] - before == pytest.approx(MORE_CUSHION_SECONDS, abs=0.003)
    assert session.playout.dropouts == 0


def test_the_more_often_sound_comes_late_the_longer_it_waits_for_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session(44_100, 0.0, monkeypatch)
    session.run(20.0)
    dropouts = []
    for _ in range(10):
        session.run(3 * CALM_SECONDS, stalled_seconds=0.05)
        dropouts.append(session.playout.dropouts)
    assert dropouts[0] > 0
    assert dropouts[-1] - dropouts[4] < dropouts[4] / 2
