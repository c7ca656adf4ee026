"""Live sound goes on, whole and in time, whatever the window and the model do."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import numpy as np
import psutil
import pytest

from model.errors import GraphicsCardError
from model.plan import SAMPLE_RATE_HZ
from realtime.devices import list_devices
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings, Parameters
from realtime.mixer import BLOCK_FRAMES
from realtime.recovery import SLEEP_SECONDS
from realtime.ring import Samples
from realtime.virtual_mic import MICROPHONE
from tests.failing_card import LOST, load_on_a_card
from tests.models import load_inverter, load_pass_through, load_refused
from tests.pulse_server import DESK_MIC, FORMAT, PulseServer, at_best, load, remove, running, wait_until

pytestmark = pytest.mark.live

TONE_HZ, LOUDNESS = 441, 0.5
TONE, HEADSET = f"sink=room frequency={TONE_HZ}", "sink_name=headset norewinds=1"
SETTLED_SECONDS = 6.0
SETTINGS = EngineSettings(microphone="desk_mic", output="speakers")


@pytest.fixture(scope="module")
def pulse() -> Iterator[PulseServer]:
    with PulseServer("module-null-sink sink_name=headset") as server, server.tone("room", TONE_HZ):
        yield server


@pytest.fixture(scope="module")
def engine(pulse: PulseServer) -> Iterator[LiveEngine]:
    with LiveEngine(SETTINGS, load_pass_through) as engine:
        wait_until(lambda: engine.tap.written > SETTLED_SECONDS * SAMPLE_RATE_HZ)
        wait_until(lambda: engine.status.state == "running")
        yield engine


@contextmanager
def recording(path: Path, sink: str = "speakers") -> Iterator[None]:
    """Records what `sink` plays; a file takes it in while this process is busy."""
    command = ["parec", f"--device={sink}.monitor", "--latency-msec=50", *FORMAT]
    with path.open("wb") as file, running(command, stdout=file):
        wait_until(lambda: path.stat().st_size > 0)
        sleep(0.3)
        yield
        sleep(0.3)


def assert_unheard(happen: Callable[[], None], path: Path, seconds: float, sink: str = "speakers") -> None:
    """What takes `seconds` to `happen` leaves the tone whole."""

    def check() -> None:
        with recording(path, sink):
            happen()
        assert_whole(path, seconds)

    at_best(check)


def assert_whole(path: Path, seconds: float) -> None:
    """The tone was played on all the time: as loud, without a jump in its phase, without a click."""
    sound = np.fromfile(path, np.float32)[SAMPLE_RATE_HZ // 10 :]
    assert len(sound) > seconds * SAMPLE_RATE_HZ
    turns = np.exp(-2j * np.pi * TONE_HZ * np.arange(len(sound)) / SAMPLE_RATE_HZ)
    wave = np.hanning(3 * SAMPLE_RATE_HZ // TONE_HZ + 1)
    tone = 2 * np.convolve(sound * turns, wave / wave.sum(), "valid")
    np.testing.assert_allclose(np.abs(tone), LOUDNESS, rtol=0.02)
    assert np.abs(np.diff(np.unwrap(np.angle(tone[:: SAMPLE_RATE_HZ // 100])))).max() < 0.05
    unlike_a_tone = sound[2:] - 2 * np.cos(2 * np.pi * TONE_HZ / SAMPLE_RATE_HZ) * sound[1:-1] + sound[:-2]
    assert np.abs(unlike_a_tone).max() < 0.002


def processes(engine: LiveEngine) -> tuple[psutil.Process, psutil.Process]:
    """Of the devices, and of the model."""
    audio = psutil.Process(engine.process_id)
    return audio, audio.children()[-1]


def spin(until: float) -> None:
    while monotonic() < until:
        pass


def spin_in_threads() -> None:
    threads = [Thread(target=spin, args=(monotonic() + 3.0,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_of_the_window_that_spin_are_not_heard(
    pulse: PulseServer, engine: LiveEngine, tmp_path: Path
) -> None:
    assert_unheard(spin_in_threads, tmp_path / "heard", 3.0)


def test_a_window_that_is_stuck_is_not_heard(pulse: PulseServer, engine: LiveEngine, tmp_path: Path) -> None:
    assert_unheard(lambda: spin(until=monotonic() + 2.0), tmp_path / "heard", 2.0)


def test_a_model_that_is_killed_is_not_heard_and_comes_back(
    pulse: PulseServer, engine: LiveEngine, tmp_path: Path
) -> None:
    def kill_the_model() -> None:
        before = processes(engine)[1]
        before.kill()
        wait_until(lambda: engine.status.state == "dry")
        assert "unrestored until it is back" in str(engine.status.message)
        wait_until(lambda: engine.status.state == "running")
        assert processes(engine)[1] != before

    assert_unheard(kill_the_model, tmp_path / "heard", 0.5)


def heard_now(engine: LiveEngine) -> tuple[Samples, Samples]:
    return engine.tap.read(engine.tap.written - 4_410, 4_410)


def test_the_tap_has_both_signals_in_step_and_parameters_are_heard(
    pulse: PulseServer, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = replace(SETTINGS, output="headset")

    def is_inverted(engine: LiveEngine) -> bool:
        dry, restored = heard_now(engine)
        return bool(np.abs(dry).max() > 0.4) and np.allclose(restored, -dry, atol=1e-6)

    with LiveEngine(settings, load_inverter) as engine:
        wait_until(lambda: is_inverted(engine))
        engine.settings = replace(settings, parameters=Parameters(mute=True))
        wait_until(lambda: not pulse.record("headset.monitor", 4_410)[2_000:].any())
        assert np.abs(heard_now(engine)[0]).max() > 0.4
    assert engine.status.state == "stopped"
    assert "leaked" not in capfd.readouterr().err


@pytest.mark.parametrize(("capture_hz", "playback_hz"), [(44_100, 48_000), (48_000, 44_100)])
def test_devices_of_unequal_rates_lose_nothing(capture_hz: int, playback_hz: int, tmp_path: Path) -> None:
    room = f"module-null-sink sink_name=hall rate={capture_hz} norewinds=1"
    earphones = f"module-null-sink sink_name=earphones rate={playback_hz} norewinds=1"
    settings = EngineSettings(microphone="hall.monitor", output="earphones")
    with (
        PulseServer(room, earphones) as pulse,
        pulse.tone("hall", TONE_HZ),
        LiveEngine(settings, load_pass_through) as engine,
    ):
        wait_until(lambda: engine.tap.written > SETTLED_SECONDS * SAMPLE_RATE_HZ)
        wait_until(lambda: engine.status.state == "running")
        assert_unheard(lambda: sleep(2.0), tmp_path / "heard", 2.0, "earphones")


def sounds(pulse: PulseServer) -> bool:
    """Whether the headset plays the tone for a quarter of a second, without a pause."""
    sound = pulse.record("headset.monitor", SAMPLE_RATE_HZ // 4)
    waves = sound[: len(sound) // 441 * 441].reshape(-1, 441)
    return len(waves) == 25 and bool(np.abs(waves).max(axis=1).min() > 0.4)


@contextmanager
def told(engine: LiveEngine) -> Iterator[None]:
    """What is lost in the context comes back after it, once the user has been told."""
    yield
    wait_until(lambda: engine.status.state == "recovering")


def microphone_unplugged(pulse: PulseServer, engine: LiveEngine) -> None:
    with told(engine):
        remove("desk_mic")
    load("module-remap-source", DESK_MIC)


def speaker_unplugged(pulse: PulseServer, engine: LiveEngine) -> None:
    with told(engine):
        remove("headset")
    load("module-null-sink", HEADSET)


def rate_changed(pulse: PulseServer, engine: LiveEngine) -> None:
    with told(engine):
        remove("headset")
    load("module-null-sink", f"{HEADSET} rate=96000")


def server_restarted(pulse: PulseServer, engine: LiveEngine) -> None:
    with told(engine):
        pulse.kill()
    pulse.start()
    load("module-sine", TONE)


def server_hung(pulse: PulseServer, engine: LiveEngine) -> None:
    with told(engine):
        pulse.hang()
    pulse.go_on()


def suspended(pulse: PulseServer, engine: LiveEngine) -> None:
    """All stands still while the clock goes on."""
    family = processes(engine)
    pulse.hang()
    for process in family:
        process.suspend()
    sleep(SLEEP_SECONDS + 1.0)
    pulse.go_on()
    for process in family:
        process.resume()


@pytest.mark.parametrize(
    "lose",
    [microphone_unplugged, speaker_unplugged, rate_changed, server_restarted, server_hung, suspended],
)
def test_sound_flows_again_within_two_seconds_of_a_device_being_back(
    lose: Callable[[PulseServer, LiveEngine], None],
) -> None:
    def check() -> None:
        with (
            PulseServer(f"module-null-sink {HEADSET}", f"module-sine {TONE}") as pulse,
            LiveEngine(replace(SETTINGS, output="headset"), load_pass_through) as engine,
        ):
            wait_until(lambda: sounds(pulse) and engine.status.state == "running")
            lose(pulse, engine)
            back = monotonic()
            wait_until(lambda: sounds(pulse))
            assert monotonic() - back < 2.0

    at_best(check)


def test_another_default_is_heard_and_played_to_within_two_seconds() -> None:
    def check() -> None:
        with (
            PulseServer(f"module-null-sink {HEADSET}", "module-null-source source_name=usb_mic") as pulse,
            LiveEngine(EngineSettings(), load_pass_through) as engine,
        ):
            load("module-sine", TONE)
            pulse.make_default("usb_mic", "speakers")
            wait_until(lambda: engine.status.microphone == "Null Input")
            pulse.make_default("desk_mic", "headset")
            chosen = monotonic()
            wait_until(lambda: sounds(pulse))
            assert monotonic() - chosen < 2.0

    at_best(check)


def test_without_a_model_the_dry_sound_goes_on_and_the_reason_is_told(pulse: PulseServer) -> None:
    with LiveEngine(replace(SETTINGS, output="headset"), load_refused) as engine:
        wait_until(lambda: engine.status.state == "dry" and engine.tap.written > SAMPLE_RATE_HZ)
        assert engine.status.message == "There is no such preset; choose another one."
        report = engine.status.report
        assert report is not None
        assert report.dropouts < engine.tap.written / BLOCK_FRAMES / 2  # what is dry as announced is none
        wait_until(lambda: bool(np.abs(pulse.record("headset.monitor", 4_410)).max() > 0.4))


def test_a_graphics_card_that_fails_is_told_while_the_processor_restores(
    pulse: PulseServer, tiny_preset: Path
) -> None:
    load_model = partial(load_on_a_card, tiny_preset, 60, LOST)
    with LiveEngine(replace(SETTINGS, output="headset"), load_model) as engine:
        wait_until(lambda: (engine.status.state, engine.status.device) == ("running", "Card"))
        assert engine.status.message is None
        wait_until(lambda: (engine.status.state, engine.status.device) == ("running", "CPU"))
        assert engine.status.message == GraphicsCardError().notice
        written = engine.tap.written
        wait_until(lambda: engine.tap.written > written + SAMPLE_RATE_HZ // 2)
        assert engine.status.state == "running"


def test_without_portaudio_a_session_says_how_to_install_it(pulse: PulseServer, no_portaudio: None) -> None:
    with LiveEngine(SETTINGS, load_inverter) as engine:
        wait_until(lambda: engine.status.state == "recovering")
        process_id = engine.process_id
        sleep(2.0)
        assert engine.process_id == process_id
        assert "`apt install libportaudio2`" in str(engine.status.message)


def test_a_process_of_the_devices_that_is_killed_is_replaced_and_its_microphone_too(
    pulse: PulseServer,
) -> None:
    with LiveEngine(replace(SETTINGS, virtual_mic=True), load_inverter) as engine:
        wait_until(lambda: engine.status.state == "running")
        first = processes(engine)[0]
        first.kill()
        wait_until(lambda: engine.status.state == "recovering")
        assert "is being started again" in str(engine.status.message)
        wait_until(lambda: engine.status.state == "running")
        assert engine.process_id != first.pid
        wait_until(lambda: bool(heard_now(engine)[1].any()))
        assert our_microphones() == 1
    assert engine.status.state == "stopped"
    assert our_microphones() == 0


def our_microphones() -> int:
    return [device.description for device in list_devices()].count(MICROPHONE)


def test_a_process_of_the_devices_that_never_lives_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.live_engine.run_audio", die)
    monkeypatch.setattr("realtime.live_engine.FIRST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr("realtime.live_engine.LAST_PAUSE_SECONDS", 0.2)
    with LiveEngine(SETTINGS, load_inverter) as engine:
        wait_until(lambda: engine.status.state == "failed")
        assert "start the engine again" in str(engine.status.message)


def die(*arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hold_an_engine() -> None:
    with LiveEngine(SETTINGS, load_inverter) as engine:
        wait_until(lambda: engine.status.state == "running")
        sleep(1000.0)


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_no_process_outlives_a_window_that_is_killed(pulse: PulseServer) -> None:
    window = multiprocessing.get_context("spawn").Process(target=hold_an_engine)
    window.start()
    family = psutil.Process(window.pid)
    wait_until(lambda: len(family.children(recursive=True)) >= 2)
    children = family.children(recursive=True)
    window.kill()
    window.join()
    wait_until(lambda: not any(child.is_running() for child in children))


def test_a_session_that_begins_muted_lets_nothing_through(pulse: PulseServer) -> None:
    load("module-null-sink", "sink_name=earphones")
    muted = replace(SETTINGS, output="earphones", parameters=Parameters(mute=True))
    with ThreadPoolExecutor() as executor:
        recorded = executor.submit(pulse.record, "earphones.monitor", 5 * SAMPLE_RATE_HZ)
        with LiveEngine(muted, load_pass_through) as engine:
            wait_until(lambda: engine.tap.written > SAMPLE_RATE_HZ)
            assert not recorded.done()
            assert not recorded.result().any()


def test_a_system_without_room_for_another_process_is_asked_again(
    pulse: PulseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = LiveEngine._start, iter([BlockingIOError("Resource temporarily unavailable")])

    def start_where_there_is_room(engine: LiveEngine) -> SpawnProcess:
        for error in refused:
            raise error
        return start(engine)

    with LiveEngine(SETTINGS, load_pass_through) as engine:
        wait_until(lambda: engine.status.report is not None)
        monkeypatch.setattr(LiveEngine, "_start", start_where_there_is_room)
        before = engine.process_id
        assert before is not None
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: engine.process_id != before and engine.status.report is not None)
