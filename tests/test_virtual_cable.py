"""Virtual cables of other makers are recognised by the names that their systems list, and played to."""

import sys
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui import text
from gui.settings import Settings
from gui.sound_panel import SoundPanel
from realtime.device_info import DeviceError, DeviceInfo
from realtime.feedback import refuse_loop
from realtime.messages import EngineStatus
from realtime.virtual_cable import GUIDES, find_cable
from tests.pulse_server import PulseServer, running, wait_until
from tests.serverless_machine import Serverless
from tests.test_device_pair import places


def devices(names: list[str], host_api: str, first: int = 0) -> list[DeviceInfo]:
    return [
        DeviceInfo(direction, first + index, name, name, host_api, 2, 48_000)
        for direction in ("input", "output")
        for index, name in enumerate(names)
    ]


MAC = ["MacBook Pro Microphone", "BlackHole 2ch", "MacBook Pro Speakers"]
CABLE = ["Speakers (Realtek(R) Audio)", "CABLE Input (VB-Audio Virtual Cable)"]
BOTH = [*CABLE, "Line 1 (Virtual Audio Cable)"]


@pytest.mark.parametrize(
    ("listed", "output", "microphone"),
    [
        (devices(MAC, "Core Audio"), 1, "BlackHole 2ch"),
        (devices(["Built-in Output", "VB-Cable"], "Core Audio"), 1, "VB-Cable"),
        (
            devices(CABLE, "MME") + devices(CABLE, "Windows WASAPI", 10),
            11,
            "CABLE Output (VB-Audio Virtual Cable)",
        ),
        (devices(["CABLE Input (VB-Audio Virtual C"], "MME"), 0, "CABLE Output (VB-Audio Virtual C"),
        (devices(BOTH, "Windows WASAPI"), 2, "Line 1 (Virtual Audio Cable)"),
    ],
    ids=[
        "blackhole",
        "vb-cable on a mac",
        "vb-cable of several host apis",
        "cut by mme",
        "vac before vb-cable",
    ],
)
def test_the_best_cable_is_found(listed: list[DeviceInfo], output: int, microphone: str) -> None:
    cable = find_cable(listed)
    assert cable is not None
    assert (cable.output.direction, cable.output.index, cable.microphone) == ("output", output, microphone)


def test_other_devices_are_no_cables() -> None:
    names = ["Line In (USB Audio)", "HDMI Cable Input", "My BlackHole 2ch", "USB-C Cable"]
    assert find_cable(devices(names, "Windows WASAPI")) is None
    assert (
        find_cable([device for device in devices(MAC, "Core Audio") if device.direction == "input"]) is None
    )
    assert find_cable([]) is None


@pytest.mark.parametrize(
    ("heard", "played"),
    [
        ("BlackHole 2ch", "BlackHole 2ch"),
        ("CABLE Output (VB-Audio Virtual C", "CABLE Input (VB-Audio Virtual Cable)"),
    ],
)
def test_what_is_played_to_a_cable_is_not_heard_again(heard: str, played: str) -> None:
    (microphone, _), (_, output) = devices([heard], "MME"), devices([played], "Windows WASAPI")
    with pytest.raises(DeviceError, match="would hear itself; choose another microphone"):
        refuse_loop(microphone, output)
    for other in devices(
        ["Line In (USB Audio)", "BlackHole 16ch", "CABLE-A Output (VB-Audio Cable A)"], "MME"
    ):
        refuse_loop(other, output)


def test_the_window_names_what_calls_choose(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.virtual_mic.MADE_HERE", False)
    panel = SoundPanel()
    qtbot.addWidget(panel)
    status = EngineStatus("running", output="CABLE Input (VB-Audio Virtual Cable)")
    panel.show_state(status, Settings(virtual_mic=True))
    said = [label.text() for label in panel.findChildren(QLabel)]
    assert text.VIRTUAL_MIC_ON.format(name="CABLE Output (VB-Audio Virtual Cable)") in said


@pytest.mark.live
def test_a_session_plays_to_the_cable(
    pulse: PulseServer, tiny_preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    Serverless(tmp_path, monkeypatch).plug(usb="desk_mic", BlackHole="speakers", phones="room")
    command = [sys.executable, "-m", "tests.serverless_live", "--input", "usb", "--virtual-mic"]
    with running([*command, "--preset", str(tiny_preset)]):
        wait_until(lambda: places() == ({"desk_mic"}, {"speakers"}))


def test_every_guide_has_a_link() -> None:
    assert all("https://" in guide and "microphone" in guide for guide in GUIDES.values())
