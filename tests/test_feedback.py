"""What is played is never heard again by way of the sound server."""

from dataclasses import replace

import pytest

from realtime.device_info import DeviceError, DeviceInfo
from realtime.feedback import refuse_feedback

SPEAKERS = DeviceInfo("output", 1, "speakers", "Speakers", "pulseaudio", 2, 44_100, on_server=True)
MICROPHONE = DeviceInfo("input", 1, "desk_mic", "Desk Microphone", "pulseaudio", 1, 44_100, on_server=True)
MONITOR = replace(MICROPHONE, name="speakers.monitor", is_monitor=True, hears="speakers")
REPEATED = replace(MICROPHONE, name="remapped", hears="speakers")


def test_a_microphone_and_speakers_are_no_loop() -> None:
    refuse_feedback(MICROPHONE, SPEAKERS)
    refuse_feedback(MONITOR, replace(SPEAKERS, name="headphones"))


@pytest.mark.parametrize("heard", [MONITOR, REPEATED])
def test_what_hears_the_listener_is_a_loop(heard: DeviceInfo) -> None:
    with pytest.raises(DeviceError, match=r"hears what Speakers plays .* choose another"):
        refuse_feedback(heard, SPEAKERS)


def test_what_calls_hear_is_no_listener() -> None:
    with pytest.raises(DeviceError, match="calls hear already; choose headphones"):
        refuse_feedback(MICROPHONE, replace(SPEAKERS, is_ours=True))
