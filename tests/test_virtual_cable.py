"""Virtual cables of other makers are recognised by the names that their systems list."""

import pytest

from realtime.device_info import DeviceInfo
from realtime.virtual_cable import GUIDES, find_cable


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


def test_every_guide_has_a_link() -> None:
    assert all("https://" in guide and "microphone" in guide for guide in GUIDES.values())
