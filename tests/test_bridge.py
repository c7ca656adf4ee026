"""The bridge keeps the delay whatever the worker and the clocks do."""

import numpy as np

from realtime.bridge import LAG_SECONDS, PATIENCE_SECONDS, Bridge
from realtime.ring import Samples
from tests.signals import tone

RATE_HZ, BLOCK, LATENCY, HEADROOM = 8_000, 80, 400, 160
DELAY = LATENCY + HEADROOM


def bridge() -> Bridge:
    return Bridge(RATE_HZ, BLOCK, LATENCY, HEADROOM)


class Worker:
    """Delays by the latency and inverts, as a processor might."""

    def __init__(self, shared: Bridge) -> None:
        self.shared = shared
        self.past: Samples = np.zeros(LATENCY, np.float32)

    def work(self) -> None:
        while (block := self.shared.take()) is not None:
            self.past = np.concatenate([self.past, -block])
            self.shared.give(self.past[:BLOCK])
            self.past = self.past[BLOCK:]


def run(shared: Bridge, signal: Samples, idle: range = range(0)) -> Samples:
    """What is played while `signal` is captured and the worker sleeps during the blocks `idle`."""
    worker, played = Worker(shared), []
    for number, start in enumerate(range(0, len(signal) - BLOCK + 1, BLOCK)):
        out = np.empty(BLOCK, np.float32)
        shared.capture(signal[start : start + BLOCK])
        shared.playback(out)
        played.append(out)
        if number not in idle:
            worker.work()
    return np.concatenate(played)


def test_processed_sound_is_played_the_delay_later() -> None:
    shared, signal = bridge(), tone(8_000, RATE_HZ)
    out = run(shared, signal)
    np.testing.assert_array_equal(out[DELAY:], -signal[:-DELAY])
    assert not out[:DELAY].any()
    assert shared.dropouts == 0


def test_late_blocks_are_the_dry_sound_of_the_same_instant() -> None:
    shared, signal = bridge(), tone(16_000, RATE_HZ)
    out = run(shared, signal, idle=range(50, 70))
    # The headroom is two blocks, so the first late block is 52; a switch bends the block it happens in.
    dry, after = slice(53 * BLOCK, 71 * BLOCK), slice(72 * BLOCK, None)
    expected = np.concatenate([np.zeros(DELAY, np.float32), signal])[: len(out)]
    np.testing.assert_array_equal(out[dry], expected[dry])
    np.testing.assert_array_equal(out[after], -expected[after])
    assert shared.dropouts == 19


def test_switching_to_dry_and_back_does_not_click() -> None:
    signal = tone(16_000, RATE_HZ, hz=50.0)
    out = run(bridge(), signal, idle=range(50, 70))
    assert np.abs(np.diff(out)).max() < 3 * np.abs(np.diff(signal)).max()
    assert np.abs(out).max() <= 1.0


def test_a_worker_that_slept_too_long_comes_back_with_the_same_delay() -> None:
    shared = bridge()
    blocks = round(2 * PATIENCE_SECONDS * RATE_HZ / BLOCK)
    signal = tone((blocks + 100) * BLOCK, RATE_HZ)
    out = run(shared, signal, idle=range(10, blocks))
    np.testing.assert_array_equal(out[-50 * BLOCK :], -signal[-50 * BLOCK - DELAY : -DELAY])
    assert shared.waiting_frames == 0


def played_ahead_of(shared: Bridge, captures: list[int], signal: Samples) -> Samples:
    """What is played when `captures[n]` blocks of `signal` come in before block n is asked for."""
    worker, position, played = Worker(shared), 0, []
    for count in captures:
        for _ in range(count):
            shared.capture(signal[position : position + BLOCK])
            position += BLOCK
        worker.work()
        out = np.empty(BLOCK, np.float32)
        shared.playback(out)
        played.append(out)
    return np.concatenate(played)


def test_nothing_is_played_before_something_is_heard_and_then_the_delay_holds() -> None:
    shared, signal = bridge(), tone(100 * BLOCK, RATE_HZ)
    out = played_ahead_of(shared, [0] * 5 + [1] * 100, signal)
    np.testing.assert_array_equal(out[5 * BLOCK + DELAY :], -signal[:-DELAY])
    assert shared.dropouts == 0


def test_a_microphone_that_stops_gives_silence_and_then_the_same_delay() -> None:
    shared, signal = bridge(), tone(200 * BLOCK, RATE_HZ)
    out = played_ahead_of(shared, [1] * 50 + [0] * 40 + [1] * 100, signal)
    gap = slice(60 * BLOCK, 90 * BLOCK)
    assert not out[gap].any()
    np.testing.assert_array_equal(out[150 * BLOCK :], -signal[110 * BLOCK - DELAY : 150 * BLOCK - DELAY])
    assert shared.dropouts > 0


def test_a_speaker_that_falls_behind_does_not_lengthen_the_delay() -> None:
    shared = bridge()
    extra = 2 * round(LAG_SECONDS * RATE_HZ / BLOCK)
    signal = tone((120 + extra) * BLOCK, RATE_HZ)
    out = played_ahead_of(shared, [1] * 20 + [1 + extra] + [1] * 99, signal)
    np.testing.assert_array_equal(out[-50 * BLOCK :], -signal[-50 * BLOCK - DELAY : -DELAY])


def test_switching_between_sounds_that_agree_changes_nothing() -> None:
    shared, signal = bridge(), tone(16_000, RATE_HZ)
    played = []
    past = np.concatenate([np.zeros(LATENCY, np.float32), signal])
    for number, start in enumerate(range(0, len(signal), BLOCK)):
        out = np.empty(BLOCK, np.float32)
        shared.capture(signal[start : start + BLOCK])
        shared.playback(out)
        played.append(out)
        while number % 30 < 20 and shared.take() is not None:
            given = start + BLOCK - shared.waiting_frames
            shared.give(past[given : given + BLOCK])
    np.testing.assert_array_equal(np.concatenate(played)[DELAY:], signal[:-DELAY])
    assert shared.dropouts > 0
