"""Keeps what is heard from being what is played: a loop that howls."""

from model.translation import _
from realtime.device_info import DeviceError, DeviceInfo
from realtime.virtual_cable import are_ends


def refuse_feedback(heard: DeviceInfo, played: DeviceInfo) -> None:
    """Raises DeviceError when the restored sound, played to `played`, would be restored again or heard twice.

    `heard` is the microphone. Sound that goes through the air is beyond this.
    """
    if played.is_ours:
        raise DeviceError(
            _(
                "{output} is what calls hear already; choose headphones or a speaker instead.",
                output=played.description,
            )
        )
    refuse_loop(heard, played)


def refuse_loop(heard: DeviceInfo, played: DeviceInfo) -> None:
    """Raises DeviceError when `heard` hears, by way of server or cable, what is played to `played`."""
    if heard.hears == played.name or are_ends(heard, played):
        raise DeviceError(
            _(
                "{microphone} hears what {output} plays and would hear itself;"
                " choose another microphone or another device to listen on.",
                microphone=heard.description,
                output=played.description,
            )
        )
