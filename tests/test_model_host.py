"""Whatever becomes of the model's process, another one takes over, and nothing but the restoring stops."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from model.errors import GraphicsCardError
from model.plan import SAMPLE_RATE_HZ
from realtime.mixer import BLOCK_FRAMES, Mixer
from realtime.model_host import ModelHost
from realtime.model_process import ModelOrder, ModelStatus
from realtime.ring import Samples
from tests.failing_card import FULL, load_on_a_card
from tests.models import load_faulty, load_inverter, load_refused
from tests.pulse_server import wait_until
from tests.signals import tone

pytestmark = pytest.mark.live

SOUND = tone(SAMPLE_RATE_HZ, hz=60.0)
STEEPEST = np.abs(np.diff(SOUND)).max()


class Speaker:
    """Speaks in real time to the model of a host and notes what is heard."""

    def __init__(self, host: ModelHost) -> None:
        self.host, self.mixer = host, Mixer(host.noisy, host.restored, host.continuations)
        self.heard: list[Samples] = []
        self._begun = monotonic()

    def speak(self) -> None:
        """As much as is due."""
        sleep(0.005)
        self.host.poll()
        if self.host.status.state == "running":
            self.mixer.delay = self.host.status.delay
        due = round((monotonic() - self._begun) * SAMPLE_RATE_HZ)
        positions = np.arange(self.host.noisy.written, min(due, self.host.noisy.written + SAMPLE_RATE_HZ))
        self.host.noisy.write(SOUND[positions % len(SOUND)])
        while (mix := self.mixer.mix()) is not None:
            self.heard.append(mix.output)

    def speak_until(self, condition: Callable[[], bool]) -> None:
        def speaks_and_sees() -> bool:
            self.speak()
            return condition()

        wait_until(speaks_and_sees)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("dies", "perhaps for want of memory"),
        ("hangs", "did not answer"),
        ("memory", "MemoryError"),
        ("mistake", "ended with code 1"),
        ("nan", "not finite"),
    ],
)
def test_a_model_that_fails_is_replaced_and_the_dry_sound_goes_on_without_a_click(
    fault: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.model_host.HANG_SECONDS", 1.0)
    failures: set[str] = set()
    with ModelHost(ModelOrder(), partial(load_faulty, fault, tmp_path / "scene")) as host:
        speaker = Speaker(host)
        speaker.speak_until(lambda: speaker.mixer.is_restoring)
        begin, first = len(speaker.heard), host.process_id

        def is_replaced() -> bool:
            failures.add(str(host.failure))
            return host.process_id != first and speaker.mixer.is_restoring

        speaker.speak_until(is_replaced)
    assert any(reason in failure for failure in failures)
    assert first is not None
    assert not psutil.pid_exists(first)
    assert_said_on(speaker.heard[begin:])


def assert_said_on(blocks: list[Samples]) -> None:
    """The tone is heard all the time, without a click."""
    heard = np.concatenate(blocks)
    assert np.abs(np.diff(heard)).max() < 2 * STEEPEST
    loudness = [np.abs(part).max() for part in np.array_split(heard, len(heard) // 2000)]
    assert min(loudness) > 0.2  # a wave lasts 735 frames: never silent


def test_when_the_graphics_card_fails_the_dry_sound_goes_on_without_a_click_until_the_processor_restores(
    tmp_path: Path,
) -> None:
    with ModelHost(ModelOrder(), partial(load_faulty, "card", tmp_path / "scene")) as host:
        speaker, process_id = Speaker(host), host.process_id
        speaker.speak_until(lambda: speaker.mixer.is_restoring)
        begin = len(speaker.heard)
        speaker.speak_until(lambda: (tmp_path / "scene").exists() and not speaker.mixer.is_restoring)
        speaker.speak_until(lambda: speaker.mixer.is_restoring)
        assert (host.process_id, host.failure) == (process_id, None)
    assert_said_on(speaker.heard[begin:])


def test_a_graphics_card_that_is_full_leaves_the_session_to_the_processor(tiny_preset: Path) -> None:
    with ModelHost(ModelOrder(), partial(load_on_a_card, tiny_preset, 40, FULL)) as host:
        speaker, process_id = Speaker(host), host.process_id
        speaker.speak_until(lambda: speaker.mixer.is_restoring)
        begin, devices = len(speaker.heard), [host.status.device]

        def is_restored_by_the_processor() -> bool:
            if host.status.state == "running":
                devices.append(host.status.device)
            return devices[-1] == "CPU" and speaker.mixer.is_restoring

        speaker.speak_until(is_restored_by_the_processor)
        assert devices[0] == "Card"
        assert (host.process_id, host.failure) == (process_id, None)
        assert host.status.notice == GraphicsCardError().notice
    blocks = speaker.heard[begin:]
    assert all(len(block) == BLOCK_FRAMES and np.isfinite(block).all() for block in blocks)
    assert any(np.abs(block).max() > 0.4 for block in blocks)  # meanwhile, the sound as it was said


def test_a_graphics_card_without_room_for_a_first_hop_is_given_up_too(tiny_preset: Path) -> None:
    with ModelHost(ModelOrder(), partial(load_on_a_card, tiny_preset, 0, FULL)) as host:
        wait_until(lambda: host.status.state == "running")
        assert (host.status.device, host.status.notice) == ("CPU", GraphicsCardError().notice)
        assert host.failure is None


def test_a_refused_order_is_told_and_the_next_one_carried_out_by_the_same_process() -> None:
    with ModelHost(ModelOrder("nowhere"), load_refused) as host:
        wait_until(lambda: host.status.state == "refused")
        assert host.status.message == "There is no such preset; choose another one."
        process_id = host.process_id
        host.order = ModelOrder("elsewhere")
        wait_until(lambda: host.status.state == "refused")
        host.poll()
        assert (host.process_id, host.failure) == (process_id, None)


class Process:
    """Ends when it is told to, and cannot be started where there is no room for it."""

    pid = 1

    def __init__(self, has_room: bool = True) -> None:
        self._has_room = has_room
        self.exitcode: int | None = None

    def start(self) -> None:
        if not self._has_room:
            raise BlockingIOError("Resource temporarily unavailable")

    def kill(self) -> None: ...

    def join(self) -> None: ...


class Machine:
    """Starts such processes; its time is `now`."""

    def __init__(self, host: ModelHost, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host, self.now, self.process, self.has_room = host, 1000.0, Process(), True
        monkeypatch.setattr("realtime.model_host.monotonic", lambda: self.now)
        monkeypatch.setattr(host, "_context", SimpleNamespace(Process=self.start))

    def start(self, **of_the_process: object) -> Process:
        self.process = Process(self.has_room)
        return self.process

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.02)):
            self.now += 0.02
            self.host.poll()


def test_a_failure_that_was_made_good_is_not_told_of_what_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = ModelHost(ModelOrder(), load_inverter)
    machine = Machine(host, monkeypatch)
    with host:
        machine.process.exitcode = 1
        machine.run(1.0)
        assert "ended with code 1" in str(host.failure)
        host._statuses.put(ModelStatus("running", hops=100))
        machine.run(0.1)
        refused = ModelStatus("refused", message="There is no such preset; choose another one.")
        host._statuses.put(refused)
        assert host.failure is None


def test_a_model_is_not_taken_for_hanging_when_the_machine_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    host = ModelHost(ModelOrder(), load_inverter)
    machine = Machine(host, monkeypatch)
    with host:
        host._statuses.put(ModelStatus("running", hops=100))
        host.noisy.write(np.zeros(10 * BLOCK_FRAMES, np.float32))
        machine.run(1.0)
        machine.now += 3600.0
        machine.run(1.0)
        assert host.failure is None
        machine.run(5.0)
        assert "did not answer" in str(host.failure)


def test_a_system_without_room_for_a_process_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    host = ModelHost(ModelOrder(), load_inverter)
    machine = Machine(host, monkeypatch)
    machine.has_room = False
    with host:
        machine.run(2.0)
        assert (host.process_id, "unavailable" in str(host.failure)) == (None, True)
        machine.has_room = True
        machine.run(2.0)
        assert host.process_id == 1


def test_nothing_of_the_process_stays() -> None:
    with ModelHost(ModelOrder(), load_inverter) as host:
        wait_until(lambda: host.status.state == "running")
        process_id = host.process_id
    assert process_id is not None
    assert not psutil.pid_exists(process_id)
