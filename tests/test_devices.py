"""Devices are those users know, are chosen by what they call them, and come and go as they do."""

import json
import subprocess
import sys
from dataclasses import replace
from queue import Queue
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from gui.device_picker import DevicePicker
from main import main
from realtime.device_info import DeviceError, DeviceInfo, choose_device
from realtime.device_watcher import DeviceWatcher
from realtime.devices import list_devices
from realtime.sound_server import OWNER_PROPERTY, SoundServerError, SoundServerHangsError, sound_server
from tests.pulse_server import PATIENCE_SECONDS, PulseServer, wait_until

pytestmark = pytest.mark.live

MICROPHONE = DeviceInfo(
    "input", 1, "alsa_input.usb", "USB Microphone", "pulseaudio", 1, 48_000, on_server=True
)
HEADSET = replace(MICROPHONE, index=2, name="bluez.headset", description="USB Headset", is_default=True)
OURS = replace(MICROPHONE, index=3, name="masksr", description="Live", is_ours=True)
MONITOR = replace(
    MICROPHONE, index=4, name="usb.monitor", description="Monitor of USB Headset", is_monitor=True
)
SPEAKERS = replace(HEADSET, direction="output", index=1)
DEVICES = [MICROPHONE, HEADSET, OURS, MONITOR, SPEAKERS]


@pytest.mark.parametrize(
    ("choice", "device"),
    [
        ("2", HEADSET),
        ("alsa_input.usb", MICROPHONE),
        ("micro", MICROPHONE),
        ("headset", HEADSET),
        ("monitor", MONITOR),
        (None, HEADSET),
    ],
)
def test_an_input_is_found_by_what_users_call_it(choice: str | None, device: DeviceInfo) -> None:
    assert choose_device(DEVICES, choice, "input") == device


def test_only_devices_of_the_direction_count() -> None:
    assert choose_device(DEVICES, "usb", "output") == SPEAKERS
    with pytest.raises(DeviceError, match="not among the output devices"):
        choose_device(DEVICES, "micro", "output")


def test_an_unclear_choice_lists_what_fits() -> None:
    with pytest.raises(DeviceError, match=r"fits several .*: 1 USB Microphone; 2 USB Headset\."):
        choose_device(DEVICES, "usb", "input")


def test_an_unknown_choice_lists_what_there_is() -> None:
    with pytest.raises(DeviceError, match=r"'banjo' .*: 1 USB Headset\."):
        choose_device(DEVICES, "banjo", "output")
    with pytest.raises(DeviceError, match="none"):
        choose_device([], "banjo", "output")


def test_host_apis_tell_devices_of_the_same_name_apart() -> None:
    mme, wasapi = (
        DeviceInfo("input", index, "Microphone", "Microphone", host_api, 1, 48_000)
        for index, host_api in enumerate(("MME", "Windows WASAPI"))
    )
    with pytest.raises(DeviceError, match="0 Microphone, MME; 1 Microphone, Windows WASAPI"):
        choose_device([mme, wasapi], "Microphone", "input")
    assert choose_device([mme, wasapi], "Microphone, Windows WASAPI", "input") == wasapi


def test_devices_of_equal_names_can_be_chosen_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    display = {"name": "Display", "hostapi": 0, "max_input_channels": 0, "max_output_channels": 2}
    listed = [display | {"index": index, "default_samplerate": 48_000.0} for index in range(2)]
    core_audio = SimpleNamespace(
        query_hostapis=lambda: [{"name": "Core Audio"}],
        query_devices=lambda: listed,
        default=SimpleNamespace(device={"input": -1, "output": 0}),
    )
    monkeypatch.setitem(sys.modules, "realtime.pulse", None)
    monkeypatch.setattr("realtime.devices.portaudio", lambda: core_audio)
    devices = list_devices()
    assert [device.description for device in devices] == ["Display", "Display #2"]
    assert [choose_device(devices, device.choice, "output") for device in devices] == devices


def test_the_window_tells_devices_of_the_same_name_apart(qtbot: QtBot) -> None:
    picker = DevicePicker("output", "None")
    qtbot.addWidget(picker)
    names = [("Headset", "MME"), ("Headset", "Windows WASAPI"), ("Speakers", "MME")]
    picker.show_devices(
        [DeviceInfo("output", index, name, name, api, 2, 48_000) for index, (name, api) in enumerate(names)],
        None,
    )
    shown = [picker.itemText(index) for index in range(picker.count())]
    assert shown == ["None", "Headset, MME", "Headset, Windows WASAPI", "Speakers"]


def test_our_own_microphone_is_never_an_input() -> None:
    for choice in ("Live", "3", "masksr"):
        with pytest.raises(DeviceError, match="not among the input devices"):
            choose_device(DEVICES, choice, "input")
    with pytest.raises(DeviceError, match="this program's own; name the one to restore"):
        choose_device([MICROPHONE, replace(OURS, is_default=True)], None, "input")


def test_a_monitor_is_no_microphone_unless_it_is_named() -> None:
    with pytest.raises(DeviceError, match="no microphone; connect one, or name the monitor"):
        choose_device([replace(MONITOR, is_default=True)], None, "input")


def test_without_a_default_the_user_is_asked() -> None:
    with pytest.raises(DeviceError, match="no default input device; connect one"):
        choose_device([MICROPHONE, SPEAKERS], None, "input")


def test_the_server_tells_every_source_and_sink(pulse: PulseServer) -> None:
    devices = {(device.direction, device.name): device for device in list_devices()}
    assert set(devices) == {
        *(("input", name) for name in ("speakers.monitor", "room.monitor", "desk_mic")),
        *(("output", name) for name in ("speakers", "room")),
    }
    microphone, room = devices["input", "desk_mic"], devices["output", "room"]
    assert (microphone.description, microphone.is_default) == ("Desk Microphone", True)
    assert (room.rate_hz, room.channels, room.is_default) == (48_000, 2, False)
    assert [name for (_, name), device in devices.items() if device.is_monitor] == [
        "speakers.monitor",
        "room.monitor",
    ]
    assert (microphone.hears, room.hears) == ("room", None)
    assert not any(device.is_ours for device in devices.values())


def test_what_leads_into_our_microphone_is_ours(pulse: PulseServer) -> None:
    with sound_server() as server:
        properties = f"sink_properties={OWNER_PROPERTY}=somebody"
        server.module_load("module-null-sink", f"sink_name=mine {properties}")
        server.module_load("module-remap-source", "source_name=repeats master=mine.monitor")
    ours = {device.name for device in list_devices() if device.is_ours}
    assert ours == {"mine.monitor", "repeats", "mine"}


def test_the_command_lists_devices(pulse: PulseServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("Desk Microphone" in line and line.endswith("default") for line in lines)
    assert main(["devices", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in entries if entry["is_default"]] == ["desk_mic", "speakers"]


def test_changes_are_told_as_they_happen(pulse: PulseServer) -> None:
    lists: Queue[list[DeviceInfo]] = Queue()

    def wait_for_default(name: str) -> None:
        """For a moment there may be none, when one has gone."""
        while name not in [d.name for d in lists.get(timeout=PATIENCE_SECONDS) if d.is_default]:
            pass

    with DeviceWatcher(lists.put), sound_server() as server:
        module = server.module_load("module-null-source", "source_name=usb_mic")
        server.source_default_set("usb_mic")
        wait_for_default("usb_mic")
        server.module_unload(module)
        wait_for_default("desk_mic")


def test_a_watcher_outlives_the_server(pulse: PulseServer) -> None:
    with DeviceWatcher(lambda devices: None) as watcher:
        pulse.kill()
        wait_until(lambda: watcher.devices == [])
        pulse.start()
        wait_until(lambda: watcher.devices == list_devices())


def test_without_a_server_portaudio_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    with pytest.raises(SoundServerError, match="PulseAudio is running"), sound_server():
        pass
    try:
        devices = list_devices()
    except DeviceError as error:
        assert "install" in str(error)
    else:
        assert not any(device.on_server for device in devices)


def test_the_engine_loads_neither_portaudio_nor_torch() -> None:
    code = (
        "import sys, realtime.audio_process, realtime.live_engine, realtime.files, realtime.paced_file;"
        "sys.exit(bool({'pulsectl', 'sounddevice', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_server_that_hangs_is_not_waited_for(pulse: PulseServer) -> None:
    with (
        pytest.raises(SoundServerHangsError, match="restart PipeWire or PulseAudio"),
        sound_server() as server,
    ):
        pulse.hang()
        server.sink_list()
    with pytest.raises(SoundServerHangsError):  # and PortAudio is not asked, which would wait for minutes
        list_devices()
    pulse.go_on()
    assert list_devices()
