"""Sound goes through the pump whatever the device does with it."""

from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest

from realtime.audio_device import Capture, Playback
from realtime.continuation import Continuation
from realtime.mailbox import Mailbox
from realtime.mixer import Mixer
from realtime.pump import Pump
from realtime.ring import Ring, Samples
from tests.signals import cut, tone

pytestmark = pytest.mark.live

RATE_HZ, BLOCK_FRAMES = 44_100, 441
SOUND = tone(2 * RATE_HZ)


class Turns:
    """A device that hears and plays as it is told to, a block at a time."""

    has_one_clock = True
    overruns = 0
    capture_rate_hz = playback_rate_hz = RATE_HZ
    capture_block_frames = playback_block_frames = BLOCK_FRAMES

    def __init__(self) -> None:
        self.finished = Event()
        self.played: list[Samples] = []

    def start(self, capture: Capture, playback: Playback, delay_seconds: float) -> None:
        self._capture, self._playback = capture, playback

    def stop(self) -> None:
        pass

    def hear(self, block: Samples) -> None:
        self._capture(block, 0.01)

    def play(self) -> None:
        self.played.append(np.empty(BLOCK_FRAMES, np.float32))
        self._playback(self.played[-1], 0.01)


def test_a_device_that_fills_a_large_buffer_after_it_has_begun_is_not_kept_waiting_for_long() -> None:
    device, noisy = Turns(), Ring(4 * RATE_HZ)
    with Pump(device, noisy, Mixer(noisy, Ring(4 * RATE_HZ), Mailbox(Continuation()))) as pump:
        for number, block in enumerate(cut(SOUND, [BLOCK_FRAMES])):
            device.hear(block)
            for _ in range(8 if number == 10 else 1):
                device.play()
    assert 0 < pump.dropouts < 10
    loudness = [np.abs(block).max() for block in device.played[30:]]
    assert min(loudness) > 0.4


def test_sound_that_waited_too_long_to_be_heard_is_left_out_and_what_follows_flows() -> None:
    device, noisy = TwoClocks(), Ring(4 * RATE_HZ)
    with Pump(device, noisy, Mixer(noisy, Ring(4 * RATE_HZ), Mailbox(Continuation()))):
        begun, blocks = monotonic(), cut(tone(7 * RATE_HZ), [BLOCK_FRAMES])
        for number, block in enumerate(blocks):
            sleep(max(0.0, begun + number * BLOCK_FRAMES / RATE_HZ - monotonic()))
            device.hear(block)
            device.play()
    assert np.abs(np.concatenate(device.played[-100:])).max() > 0.4


class TwoClocks(Turns):
    """Hears for long before anybody listens."""

    has_one_clock = False

    def start(self, capture: Capture, playback: Playback, delay_seconds: float) -> None:
        super().start(capture, playback, delay_seconds)
        for block in cut(SOUND[: 9 * RATE_HZ // 10], [BLOCK_FRAMES]):
            self.hear(block)
