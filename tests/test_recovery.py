"""A stream comes back by itself, whatever happens to devices, sound server and machine."""

from dataclasses import replace
from itertools import pairwise

import pytest

from realtime.device_info import DeviceInfo
from realtime.recovery import (
    DEBOUNCE_SECONDS,
    FIRST_RETRY_SECONDS,
    LAST_RETRY_SECONDS,
    SETTLED_SECONDS,
    STALL_SECONDS,
    Action,
    Recovery,
)

TICK_SECONDS = 0.05
DESK = DeviceInfo("input", 1, "desk_mic", "Desk Microphone", "pulseaudio", 1, 44_100, on_server=True)
USB = replace(DESK, index=2, name="usb_mic")
JACK = replace(DESK, name="jack", on_server=False)


class World:
    """Acts as Recovery decides, and keeps what it decided."""

    def __init__(self, wanted: DeviceInfo | None = DESK) -> None:
        self.recovery, self.wanted = Recovery(), wanted
        self.now, self.blocks = 1000.0, 0
        self.opens = self.flows = True
        self.done: list[tuple[float, Action]] = []

    def tick(self, disturbed: bool = False) -> Action:
        self.now += TICK_SECONDS
        self.blocks += self.flows and self.recovery.device is not None
        action = self.recovery.decide(self.now, self.wanted, self.blocks, disturbed)
        if action == "open" and self.wanted is not None:
            if self.opens:
                self.recovery.opened(self.now, self.wanted)
            else:
                self.recovery.failed(self.now)
        if action != "keep":
            self.done.append((self.now, action))
        return action

    def run(self, seconds: float) -> list[Action]:
        """What is done meanwhile."""
        already = len(self.done)
        for _ in range(round(seconds / TICK_SECONDS)):
            self.tick()
        return [action for _, action in self.done[already:]]


@pytest.fixture
def flowing() -> World:
    world = World()
    assert world.run(1.0) == ["open"]
    return world


def test_a_stream_that_flows_is_left_alone(flowing: World) -> None:
    assert flowing.run(60.0) == []


def test_a_device_that_goes_is_let_go_at_once_and_one_that_comes_is_opened_once(flowing: World) -> None:
    flowing.wanted = None
    assert flowing.tick() == "close"
    assert flowing.run(30.0) == []
    flowing.wanted = replace(DESK, index=7)
    assert flowing.run(DEBOUNCE_SECONDS - TICK_SECONDS) == []
    assert flowing.run(1.0) == ["open"]
    assert flowing.recovery.device == flowing.wanted


def test_a_device_that_flickers_is_opened_when_it_is_calm(flowing: World) -> None:
    for flicker in range(10):
        flowing.wanted = replace(DESK, index=flicker) if flicker % 2 else None
        flowing.tick()
    assert [action for _, action in flowing.done] == ["open", "close"]
    flowing.wanted = DESK
    assert flowing.run(1.0) == ["open"]


def test_another_device_is_moved_to_by_the_server(flowing: World) -> None:
    flowing.wanted = USB
    assert flowing.run(5.0) == ["move"]
    assert flowing.recovery.device == USB


@pytest.mark.parametrize(("before", "after"), [(DESK, JACK), (JACK, DESK), (JACK, replace(JACK, index=5))])
def test_where_no_server_can_move_it_the_stream_is_opened_anew(before: DeviceInfo, after: DeviceInfo) -> None:
    world = World(before)
    world.run(1.0)
    world.wanted = after
    assert world.run(5.0) == ["close", "open"]


def test_after_every_event_the_stream_is_put_where_it_belongs(flowing: World) -> None:
    assert flowing.tick(disturbed=True) == "move"
    assert flowing.tick() == "keep"


def test_an_event_moves_nothing_without_a_server() -> None:
    world = World(JACK)
    world.run(1.0)
    assert world.tick(disturbed=True) == "keep"


def test_a_stalled_stream_is_opened_anew(flowing: World) -> None:
    flowing.flows = False
    assert flowing.run(STALL_SECONDS - 0.2) == []
    assert flowing.run(0.2 + FIRST_RETRY_SECONDS + 3 * TICK_SECONDS) == ["close", "open"]
    flowing.flows = True
    assert flowing.run(30.0) == []


def test_suspend_opens_the_stream_anew_though_it_seems_to_flow(flowing: World) -> None:
    flowing.now += 3600.0
    assert flowing.run(1.0) == ["close", "open"]


def test_waiting_for_a_server_that_hangs_is_not_taken_for_suspend() -> None:
    world = World()
    world.run(0.1)
    world.now += 30.0
    world.recovery.opened(world.now, DESK)
    assert world.run(10.0) == []


def attempts(world: World, seconds: float) -> list[float]:
    """The times between attempts to open."""
    already = len(world.done)
    world.run(seconds)
    times = [at for at, action in world.done[already:] if action == "open"]
    return [later - earlier for earlier, later in pairwise(times)]


def test_what_cannot_be_opened_is_tried_for_ever_but_less_and_less_often() -> None:
    world = World()
    world.opens = False
    waits = attempts(world, 7200.0)
    assert waits[0] == pytest.approx(FIRST_RETRY_SECONDS, abs=2 * TICK_SECONDS)
    assert waits[1] == pytest.approx(2 * FIRST_RETRY_SECONDS, abs=2 * TICK_SECONDS)
    assert waits[-1] == pytest.approx(LAST_RETRY_SECONDS, abs=2 * TICK_SECONDS)
    assert len(waits) > 1000


def test_news_of_devices_end_the_waiting() -> None:
    world = World()
    world.opens = False
    world.run(60.0)
    world.opens, world.wanted = True, USB
    assert world.run(DEBOUNCE_SECONDS + 2 * TICK_SECONDS) == ["open"]


def test_a_stream_that_stalls_again_and_again_is_waited_for_until_one_settles(flowing: World) -> None:
    flowing.flows = False
    waits = attempts(flowing, 60.0)
    assert waits[-1] == pytest.approx(LAST_RETRY_SECONDS + STALL_SECONDS, abs=3 * TICK_SECONDS)
    flowing.flows = True
    flowing.run(LAST_RETRY_SECONDS + SETTLED_SECONDS + 1.0)
    flowing.flows = False
    assert attempts(flowing, 10.0)[0] < 2 * STALL_SECONDS
