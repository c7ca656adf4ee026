"""Devices are chosen by index or name, and every way to fail says what to do."""

import subprocess
import sys

import pytest

from realtime.devices import DeviceError, DeviceInfo, choose_device, list_devices

DEVICES = [
    DeviceInfo(0, "pulse", "ALSA", 32, 32, 44_100),
    DeviceInfo(1, "USB Microphone", "ALSA", 1, 0, 48_000),
    DeviceInfo(2, "USB Headset", "ALSA", 1, 2, 48_000),
    DeviceInfo(3, "USB", "ALSA", 2, 0, 48_000),
    DeviceInfo(4, "HDMI", "ALSA", 0, 8, 48_000),
]


@pytest.mark.parametrize(
    ("choice", "index"), [("pulse", 0), ("1", 1), ("headset", 2), ("USB", 3), ("micro", 1)]
)
def test_an_input_is_found_by_index_name_or_part_of_it(choice: str, index: int) -> None:
    assert choose_device(DEVICES, choice, "input").index == index


def test_only_devices_of_the_direction_count() -> None:
    assert choose_device(DEVICES, "usb", "output").index == 2
    with pytest.raises(DeviceError, match="not among the input devices"):
        choose_device(DEVICES, "HDMI", "input")


def test_an_unclear_choice_lists_what_fits() -> None:
    with pytest.raises(DeviceError, match=r"fits several .*: 1 USB Microphone, 2 USB Headset, 3 USB"):
        choose_device(DEVICES, "usb", "input")


def test_an_unknown_choice_lists_what_there_is() -> None:
    with pytest.raises(DeviceError, match=r"'banjo' .*: 0 pulse, 2 USB Headset, 4 HDMI"):
        choose_device(DEVICES, "banjo", "output")
    with pytest.raises(DeviceError, match="none"):
        choose_device([], "banjo", "output")


def test_listing_works_or_says_what_to_install() -> None:
    try:
        devices = list_devices()
    except DeviceError as error:
        assert "install" in str(error)
    else:
        assert [device.index for device in devices] == list(range(len(devices)))


def test_the_engine_loads_neither_portaudio_nor_torch() -> None:
    code = (
        "import sys, realtime.engine, realtime.devices, realtime.files, realtime.paced_file;"
        "sys.exit(bool({'sounddevice', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
