"""Virtual cables: drivers of other makers whose output is heard by programs as a microphone."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.translation import N_
from realtime.device_info import DeviceInfo

# How the names of the outputs begin, the better ones first: Virtual Audio Cable crackles less than VB-Cable.
OUTPUTS = ("BlackHole", "Line 1 (Virtual Audio Cable", "CABLE Input", "VB-Cable")
PREFERRED_HOST_API = "Windows WASAPI"  # Windows lists every device once for each of its host APIs
MME_LETTERS = 31  # of a name, as one of them cuts it
GUIDES = {
    "darwin": N_(
        "Install BlackHole (https://existential.audio/blackhole/), start this again, and choose"
        " BlackHole as microphone in the call program."
    ),
    "win32": N_(
        "Install Virtual Audio Cable (https://vac.muzychenko.net/en/) or VB-Cable"
        " (https://vb-audio.com/Cable/), start this again, and choose Line 1 or CABLE Output as microphone"
        " in the call program."
    ),
}


@dataclass(frozen=True)
class VirtualCable:
    """What is played to `output` is heard by programs that choose `microphone`."""

    output: DeviceInfo
    microphone: str


def find_cable(devices: Sequence[DeviceInfo]) -> VirtualCable | None:
    """The best virtual cable among `devices`, if there is one."""
    outputs = [device for device in devices if device.direction == "output"]
    outputs.sort(key=lambda device: device.host_api != PREFERRED_HOST_API)
    for beginning in OUTPUTS:
        for output in outputs:
            if output.description.startswith(beginning):
                return VirtualCable(output, microphone_of(output.description))
    return None


def are_ends(heard: DeviceInfo, played: DeviceInfo) -> bool:
    """Whether these are microphone and output of one cable, by whichever host APIs they are listed."""
    of_cable = played.description.startswith(OUTPUTS)
    return of_cable and microphone_of(played.description)[:MME_LETTERS] == heard.description[:MME_LETTERS]


def microphone_of(output: str) -> str:
    """What programs choose to hear what is played to a cable's output; both are descriptions."""
    return output.replace("CABLE Input", "CABLE Output")
