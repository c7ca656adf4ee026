"""What is known of a microphone or speaker, and which one of them is meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from model.errors import MaskSRError
from model.translation import N_, _

Direction = Literal["input", "output"]
NO_DEFAULT: dict[Direction, str] = {
    "input": N_("There is no default input device; connect one, or name one of those listed."),
    "output": N_("There is no default output device; connect one, or name one of those listed."),
}
NONE: dict[Direction, str] = {
    "input": N_("'{choice}' is not among the input devices; choose one of: {listed}."),
    "output": N_("'{choice}' is not among the output devices; choose one of: {listed}."),
}
SEVERAL: dict[Direction, str] = {
    "input": N_("'{choice}' fits several input devices; choose one of: {listed}."),
    "output": N_("'{choice}' fits several output devices; choose one of: {listed}."),
}


class DeviceError(MaskSRError):
    """An audio device cannot be found or opened."""


@dataclass(frozen=True)
class DeviceInfo:
    """One direction of a device. `name` is the system's, `description` what users know it by."""

    direction: Direction
    index: int  # unique among those of its direction
    name: str
    description: str
    host_api: str
    channels: int
    rate_hz: int
    is_default: bool = False
    is_ours: bool = False  # this program's virtual microphone, or what leads into it
    is_monitor: bool = False  # a source that hears what is played to a sink
    hears: str | None = None  # the name of the sink, for a monitor and for what repeats one
    on_server: bool = False

    @property
    def choice(self) -> str:
        """What means this device alone to `choose_device`, also after others came and went."""
        return self.name if self.on_server else self.known_as

    @property
    def known_as(self) -> str:
        """Its description, with the host API where several may offer it."""
        return self.description if self.on_server else f"{self.description}, {self.host_api}"


def same_place(a: DeviceInfo | None, b: DeviceInfo | None) -> bool:
    """Whether these are one device; one that went and came back is another."""
    if a is None or b is None:
        return a is b
    return (a.on_server, a.direction, a.name, a.index) == (b.on_server, b.direction, b.name, b.index)


def choose_device(devices: Sequence[DeviceInfo], choice: str | None, direction: Direction) -> DeviceInfo:
    """The device that `choice` names: its index, its name, or a part of its name in any case.

    None means the default. A part that fits one device, and monitors besides, means the device. What this
    program plays is never an input. Raises DeviceError, with the names there are, when none or several fit.
    """
    usable = [device for device in devices if device.direction == direction]
    if choice is None:
        return _default(usable, direction)
    usable = [device for device in usable if direction == "output" or not device.is_ours]
    named = [device for device in usable if choice in _names(device)]
    parts = [
        device for device in usable if any(choice.lower() in name.lower() for name in _names(device)[1:])
    ]
    fitting = named or [device for device in parts if not device.is_monitor] or parts
    if len(fitting) != 1:
        listed = "; ".join(f"{device.index} {_names(device)[-1]}" for device in fitting or usable)
        raise DeviceError(
            _((SEVERAL if fitting else NONE)[direction], choice=choice, listed=listed or _("none"))
        )
    return fitting[0]


def _default(devices: Sequence[DeviceInfo], direction: Direction) -> DeviceInfo:
    default = next((device for device in devices if device.is_default), None)
    if default is None:
        raise DeviceError(_(NO_DEFAULT[direction]))
    if default.is_ours and direction == "input":
        raise DeviceError(
            _("The system's default microphone is this program's own; name the one to restore.")
        )
    if default.is_monitor:
        raise DeviceError(_("There is no microphone; connect one, or name the monitor to restore."))
    return default


def _names(device: DeviceInfo) -> tuple[str, ...]:
    """What a choice may say; the last one tells devices apart that several host APIs offer."""
    return str(device.index), device.name, device.description, device.known_as
