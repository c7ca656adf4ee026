"""Devices whose clocks differ are kept at one delay: an hour of them, simulated."""

import numpy as np
import pytest

from realtime.clock import MAX_RATE_CHANGE, DeviceClock, Steering

BLOCK_SECONDS = 0.02
STEER_EVERY_BLOCKS = 5
HOUR_BLOCKS = 180_000
JITTER_SECONDS = 0.002
BUFFERED_SECONDS = 0.1


class TwoDevices:
    """A microphone, `drift` too fast, a listener of another rate, and what waits between them.

    Both tell when each block is at the converter, but not exactly.
    """

    def __init__(self, capture_hz: int, playback_hz: int, drift: float) -> None:
        self.rates_hz = (capture_hz * (1.0 + drift), float(playback_hz))
        self.nominal_hz = (capture_hz, playback_hz)
        self.clocks = (DeviceClock(capture_hz), DeviceClock(playback_hz))
        self.steering = Steering()
        self.played_seconds = -BUFFERED_SECONDS  # of the captured sound
        self.rate_change = 0.0
        self.random = np.random.default_rng(0)

    def run(self, blocks: int) -> tuple[list[float], list[float]]:
        """The true delay and the change of rate at each turn of the steering."""
        delays, changes = [], []
        jitter = self.random.uniform(-JITTER_SECONDS, JITTER_SECONDS, (blocks, 2))
        for block in range(1, blocks + 1):
            now = block * BLOCK_SECONDS
            frames = [round(now * rate_hz) for rate_hz in self.rates_hz]
            for clock, frame, late in zip(self.clocks, frames, jitter[block - 1], strict=True):
                clock.tick(frame, now + late)
            speed = self.rates_hz[1] / self.nominal_hz[1] * (1.0 + self.rate_change)
            self.played_seconds += BLOCK_SECONDS * speed
            if block % STEER_EVERY_BLOCKS == 0:
                self._steer(now)
                delays.append(now * self.rates_hz[0] / self.nominal_hz[0] - self.played_seconds)
                changes.append(self.rate_change)
        return delays, changes

    def _steer(self, now: float) -> None:
        if not all(clock.is_settled for clock in self.clocks):
            return
        measured = [clock.frame_at(now) / hz for clock, hz in zip(self.clocks, self.nominal_hz, strict=True)]
        unplayed_seconds = measured[0] - self.played_seconds
        tick_error = (
            measured[1] - now * self.rates_hz[1] / self.nominal_hz[1]
        )  # what the listener's clock adds
        excess_seconds = unplayed_seconds - tick_error - BUFFERED_SECONDS
        self.rate_change = self.steering.rate_change(excess_seconds, STEER_EVERY_BLOCKS * BLOCK_SECONDS)


@pytest.mark.parametrize("drift", [200e-6, -200e-6])
@pytest.mark.parametrize(("capture_hz", "playback_hz"), [(44_100, 48_000), (48_000, 44_100)])
def test_an_hour_leaves_the_delay_where_it_began_and_the_pitch_unheard(
    capture_hz: int, playback_hz: int, drift: float
) -> None:
    delays, changes = TwoDevices(capture_hz, playback_hz, drift).run(HOUR_BLOCKS)
    assert np.abs(np.array(delays) - BUFFERED_SECONDS).max() < 0.005  # so nothing runs dry or over
    assert np.abs(changes).max() < 5e-4
    assert np.mean(changes[-1000:]) == pytest.approx(drift, abs=1e-5)


def test_a_delay_that_jumped_is_put_right_without_overshooting() -> None:
    steering, excess_seconds, seen = Steering(), 0.015, []
    for _ in range(2400):  # two minutes
        excess_seconds -= steering.rate_change(excess_seconds, 0.05) * 0.05
        seen.append(excess_seconds)
    assert min(seen) > -0.002
    assert abs(seen[-1]) < 0.001


def test_a_device_that_stops_and_goes_on_is_known_again() -> None:
    clock, is_settled = DeviceClock(48_000), []
    for block in range(600):
        clock.tick(block * 480, block * 0.01 + 3.0 * (block >= 300))
        is_settled.append(clock.is_settled)
    assert [is_settled[block] for block in (150, 250, 330, 400, 550)] == [False, True, False, False, True]
    assert clock.frame_at(599 * 0.01 + 3.0) == pytest.approx(599 * 480, abs=5)


def test_a_thread_that_now_and_then_comes_late_does_not_unsettle_a_clock() -> None:
    clock, late = DeviceClock(48_000), np.random.default_rng(0).uniform(0.0, 0.3, 1000)
    for block in range(1000):
        clock.tick(block * 480, block * 0.01 + late[block] * (block % 10 == 9))
    assert clock.is_settled
    assert clock.frame_at(10.0) == pytest.approx(48_000 * 10.0, abs=48)


def test_a_change_of_rate_is_never_heard() -> None:
    assert Steering().rate_change(10.0, 0.05) == MAX_RATE_CHANGE < 5e-4
    assert Steering().rate_change(-10.0, 0.05) == -MAX_RATE_CHANGE
