"""Microphones and speakers: which there are, which one is meant, and how to open a stream on it.

On Linux the sound server tells, since PortAudio knows nothing of its sources and sinks; elsewhere PortAudio.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from model.errors import MaskSRError

if TYPE_CHECKING:
    from realtime.pulse import Pulse

OWNER_PROPERTY = "masksr.owner"  # marks on the sound server what this program made
STREAM_PROPERTY = "masksr.stream"
CONNECT_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
LISTEN_SECONDS = 0.2  # how long the end of a watcher may take

Direction = Literal["input", "output"]


class DeviceError(MaskSRError):
    """An audio device cannot be found or opened."""


class SoundServerError(DeviceError):
    """The sound server is not there, went away or refuses."""


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
    on_server: bool = False

    @property
    def choice(self) -> str:
        """What means this device alone to `choose_device`, also after others came and went."""
        return self.name if self.on_server else f"{self.description}, {self.host_api}"


def list_devices() -> list[DeviceInfo]:
    """Every device there is, without opening any. Raises DeviceError when PortAudio is missing."""
    try:
        with sound_server() as server:
            return _server_devices(server)
    except SoundServerError:
        return _portaudio_devices()


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
        listed = "; ".join(f"{device.index} {_names(device)[-1]}" for device in fitting or usable) or "none"
        problem = "fits several" if fitting else "is not among the"
        raise DeviceError(f"'{choice}' {problem} {direction} devices; choose one of: {listed}.")
    return fitting[0]


def _default(devices: Sequence[DeviceInfo], direction: Direction) -> DeviceInfo:
    default = next((device for device in devices if device.is_default), None)
    if default is None:
        raise DeviceError(
            f"There is no default {direction} device; connect one, or name one of those listed."
        )
    if default.is_ours and direction == "input":
        raise DeviceError("The system's default microphone is this program's own; name the one to restore.")
    return default


def _names(device: DeviceInfo) -> tuple[str, ...]:
    """What a choice may say; the last one tells devices apart that several host APIs offer."""
    known_as = device.description if device.on_server else f"{device.description}, {device.host_api}"
    return str(device.index), device.name, device.description, known_as


class DeviceWatcher:
    """Keeps `devices` current while the context is open.

    A thread calls `on_event` with them after all that concerns devices or new streams on them, so at times
    with those already known. The sound server tells of events; when it ends, its devices are gone until it is
    back. PortAudio tells of none. Raises DeviceError as `list_devices` does.
    """

    def __init__(self, on_event: Callable[[list[DeviceInfo]], None]) -> None:
        self._on_event = on_event
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name="device watcher", daemon=True)

    def __enter__(self) -> Self:
        self.devices = list_devices()
        if sys.platform == "linux":
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                with sound_server() as server:
                    self._listen(server)
            except SoundServerError:
                self._update([device for device in self.devices if not device.on_server])
                self._stopping.wait(RECONNECT_SECONDS)

    def _listen(self, server: "Pulse") -> None:
        happened = Event()
        server.listen(happened.set)
        happened.set()  # before listening, perhaps
        while not self._stopping.is_set():
            if happened.is_set():
                happened.clear()
                self._update(_server_devices(server))
            else:
                server.event_listen(LISTEN_SECONDS)

    def _update(self, devices: list[DeviceInfo]) -> None:
        self.devices = devices
        self._on_event(devices)


@contextmanager
def sound_server() -> Iterator["Pulse"]:
    """Connects to the running sound server; never starts one.

    Raises SoundServerError, also for what the server refuses within.
    """
    try:
        from realtime.pulse import FAILURES, Pulse
    except (ImportError, OSError) as error:  # macOS and Windows have neither
        raise SoundServerError("libpulse is missing; on Debian `apt install libpulse0` brings it.") from error
    server = Pulse("MaskSR Live", connect=False)
    try:
        server.connect(timeout=CONNECT_SECONDS)
        yield server
    except FAILURES as error:
        problem = f"refuses ({error})" if server.connected else "does not answer"
        raise SoundServerError(
            f"The sound server {problem}; see whether PipeWire or PulseAudio is running."
        ) from error
    finally:
        server.close()


@contextmanager
def routed(device: DeviceInfo, stream: str) -> Iterator[int]:
    """Yields the PortAudio index with which a stream on `device` can be opened meanwhile.

    The sound server knows the stream by the name `stream`. Environment variables of the process say so to
    ALSA; no two threads may do this at a time. Raises DeviceError.
    """
    if not device.on_server:
        yield device.index
        return
    index = _alsa_pulse_index()
    variable = "PULSE_SOURCE" if device.direction == "input" else "PULSE_SINK"
    with _environment({variable: device.name, "PULSE_PROP": f"{STREAM_PROPERTY}={stream}"}):
        yield index


def place_stream(stream: str, device: DeviceInfo) -> None:
    """See that the stream opened as `stream`, in the direction of `device`, is there and nowhere else.

    Raises SoundServerError.
    """
    with sound_server() as server:
        if device.direction == "input":
            places = {open_stream: open_stream.source for open_stream in server.source_output_list()}
            move = server.source_output_move
        else:
            places = {open_stream: open_stream.sink for open_stream in server.sink_input_list()}
            move = server.sink_input_move
        for open_stream, place in places.items():
            if open_stream.proplist.get(STREAM_PROPERTY) == stream and place != device.index:
                move(open_stream.index, device.index)


def portaudio() -> ModuleType:
    """PortAudio's Python module. Raises DeviceError when PortAudio is missing."""
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            "PortAudio is missing; install it, on Debian with `apt install libportaudio2`."
        ) from error
    return sounddevice


def _server_devices(server: "Pulse") -> list[DeviceInfo]:
    names = server.server_info()
    sinks = server.sink_list()
    ours = {sink.name for sink in sinks if OWNER_PROPERTY in sink.proplist}

    def describe(direction: Direction, node: Any, default: str, monitored: str | None = None) -> DeviceInfo:
        return DeviceInfo(
            direction,
            node.index,
            node.name,
            node.description,
            names.server_name,
            node.channel_count,
            node.rate_hz,
            is_default=node.name == default,
            is_ours=OWNER_PROPERTY in node.proplist or monitored in ours,
            is_monitor=monitored is not None,
            on_server=True,
        )

    return [
        *(
            describe("input", source, names.default_source_name, source.monitor_of_sink_name)
            for source in server.source_list()
        ),
        *(describe("output", sink, names.default_sink_name) for sink in sinks),
    ]


def _portaudio_devices() -> list[DeviceInfo]:
    sounddevice = portaudio()
    host_apis = sounddevice.query_hostapis()
    directions: tuple[Direction, ...] = ("input", "output")
    return [
        DeviceInfo(
            direction,
            entry["index"],
            entry["name"],
            entry["name"],
            host_apis[entry["hostapi"]]["name"],
            entry[f"max_{direction}_channels"],
            round(entry["default_samplerate"]),
            is_default=entry["index"] == sounddevice.default.device[direction],
        )
        for direction in directions
        for entry in sounddevice.query_devices()
        if entry[f"max_{direction}_channels"]
    ]


def _alsa_pulse_index() -> int:
    """PortAudio's index of ALSA's door to the sound server."""
    sounddevice = portaudio()
    if "pulse" not in (entry["name"] for entry in sounddevice.query_devices()):
        sounddevice._terminate()  # PortAudio lists what it found when it started, perhaps before the server
        sounddevice._initialize()
    for entry in sounddevice.query_devices():
        if entry["name"] == "pulse":
            return int(entry["index"])
    raise DeviceError("ALSA has no `pulse` device; on Debian `apt install libasound2-plugins` brings it.")


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
