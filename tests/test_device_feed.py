"""The window hears of devices that come and go, from the sound server or, where there is none, from Qt."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from gui.settings import Settings, SettingsFile
from presets.library import PresetLibrary
from realtime.device_info import DeviceError, choose_device
from realtime.device_watcher import DeviceWatcher
from realtime.devices import list_devices, renew_devices
from realtime.messages import EngineSettings
from realtime.playback import play
from tests.pulse_server import PulseServer, last_line, load, remove, running, wait_until
from tests.serverless_machine import Serverless
from tests.signals import tone
from tests.test_device_pair import Ear, connections, is_tone, places, started

pytestmark = pytest.mark.live

SECOND, ROOM_HZ = 44_100, 1000
SETTINGS = Settings(microphone="usb", output="phones", virtual_mic=False, bypass=True)

IMPORTS = """
import sys
from PyQt6.QtCore import QCoreApplication, QTimer
from gui.device_feed import DeviceFeed
application, feed = QCoreApplication([]), DeviceFeed()
feed.changed.connect(lambda devices: QTimer.singleShot(100, application.quit))
feed.start()
application.exec()
feed.close()
sys.exit("PyQt6.QtMultimedia" in sys.modules)
"""


class Desk(Serverless):
    """With a window of this program on it."""

    def __init__(self, folder: Path, preset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, monkeypatch)
        self._folder, self._log = folder, folder / "log"
        self._preset = PresetLibrary(folder / "presets").add(preset)

    @contextmanager
    def window(self) -> Iterator[None]:
        settings = self._folder / "settings.json"
        SettingsFile(settings).save(SETTINGS.model_copy(update={"preset": self._preset}))
        arguments = [str(settings), str(self._folder / "presets")]
        with (
            self._log.open("w") as log,
            running([sys.executable, "-m", "tests.serverless", *arguments], stdout=log),
        ):
            yield

    def tells(self, there: set[str], heard: str | None = None) -> bool:
        """Whether the window knows these devices, and besides them ALSA's doors to the sound server."""
        names, _, microphone = (last_line(self._log) or "; hears None").partition("; hears ")
        return set(names.split()) - {"pulse", "default"} == there and microphone == str(heard)


@pytest.fixture
def without_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "realtime.pulse", None)
    monkeypatch.setattr(DeviceWatcher, "is_told", False)


@pytest.fixture
def machine(pulse: PulseServer, tmp_path: Path, tiny_preset: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, tiny_preset, monkeypatch)


def test_with_a_sound_server_qt_is_not_asked_for_events(pulse: PulseServer) -> None:
    assert subprocess.run([sys.executable, "-c", IMPORTS], check=False).returncode == 0


def test_without_a_sound_server_the_list_follows_what_qt_tells(machine: Desk, pulse: PulseServer) -> None:
    machine.plug(phones="speakers")
    with machine.window():
        wait_until(lambda: machine.tells({"phones"}))
        machine.plug(phones="speakers", desk="desk_mic")
        load("module-null-sink", "sink_name=headset")
        wait_until(lambda: machine.tells({"phones", "desk"}))
        machine.plug(phones="speakers", desk="desk_mic", headset="headset")
        pulse.make_default("desk_mic", "headset")
        wait_until(lambda: machine.tells({"phones", "desk", "headset"}))
        machine.plug(phones="speakers", desk="desk_mic")
        remove("headset")
        wait_until(lambda: machine.tells({"phones", "desk"}))


def test_without_a_sound_server_a_microphone_that_is_plugged_in_is_heard_again(
    machine: Desk, pulse: PulseServer
) -> None:
    machine.plug(phones="speakers")
    with machine.window(), pulse.tone("room", ROOM_HZ):
        wait_until(lambda: places() == (set(), {"speakers"}))
        wait_until(lambda: machine.tells({"phones"}))
        machine.plug(usb="desk_mic", phones="speakers")
        load("module-null-sink", "sink_name=first")
        wait_until(lambda: machine.tells({"usb", "phones"}, heard="usb"))
        wait_until(lambda: is_tone(pulse.record("speakers.monitor", SECOND // 4), ROOM_HZ))
        before = connections()
        machine.plug(other="desk_mic", usb="desk_mic", phones="speakers")
        load("module-null-sink", "sink_name=second")
        wait_until(lambda: machine.tells({"other", "usb", "phones"}, heard="usb"))
        assert is_tone(pulse.record("speakers.monitor", SECOND // 4), ROOM_HZ)
        assert connections() == before  # who is heard is not disturbed by other devices
        machine.plug(other="desk_mic", phones="speakers")
        load("module-null-sink", "sink_name=third")
        wait_until(lambda: machine.tells({"other", "phones"}))
        wait_until(lambda: places() == (set(), {"speakers"}))


def test_without_a_sound_server_streams_are_opened_anew_for_other_devices_alone(
    machine: Desk, without_server: None
) -> None:
    settings = EngineSettings("usb", "phones", found=("usb, ALSA", "phones, ALSA", None))
    machine.plug(usb="desk_mic", phones="speakers")
    with started(replace(settings, found=(None, "phones, ALSA", None)), Ear()) as pair:
        assert pair.can_follow(settings)
        assert pair.can_follow(replace(settings, passes=2))
        assert not pair.can_follow(replace(settings, found=(None, "phones, ALSA", None)))
        assert not pair.can_follow(replace(settings, microphone=None))


def test_portaudio_lists_anew_once_nothing_is_played(machine: Desk, without_server: None) -> None:
    machine.plug(phones="speakers")
    renew_devices(0.0)
    phones, stopping = choose_device(list_devices(), "phones", "output"), Event()
    machine.plug(usb="desk_mic", phones="speakers")
    with ThreadPoolExecutor() as executor:
        playing = executor.submit(play, tone(60 * SECOND), SECOND, phones, stopping)
        wait_until(_is_in_use)
        renewed = executor.submit(renew_devices, 60.0)
        assert "usb" not in [device.name for device in list_devices()] and not renewed.done()
        stopping.set()
        playing.result()
        renewed.result()
    assert "usb" in [device.name for device in list_devices()]


def _is_in_use() -> bool:
    try:
        renew_devices(0.0)
    except DeviceError as error:
        assert "stop playing" in str(error)
        return True
    return False
