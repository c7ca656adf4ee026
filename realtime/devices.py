"""Microphones and speakers: which there are, and how to open a stream on one.

On Linux the sound server tells, since PortAudio knows nothing of its sources and sinks; elsewhere PortAudio.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Any

from model.translation import _
from realtime.device_info import DeviceError, DeviceInfo, Direction
from realtime.shared_use import SharedUse
from realtime.sound_server import (
    STREAM_PROPERTY,
    SoundServerError,
    SoundServerHangsError,
    server_devices,
    sound_server,
)

_portaudio_use = SharedUse()
_importing = Lock()  # what fails to import, threads that import it meanwhile get half made


def list_devices() -> list[DeviceInfo]:
    """Every device there is, without opening any; where PortAudio is asked, as of its start in this process.

    Raises DeviceError when PortAudio is missing, and SoundServerHangsError.
    """
    try:
        with sound_server() as server:
            return server_devices(server)
    except SoundServerHangsError:
        raise
    except SoundServerError:
        return _portaudio_devices()


@contextmanager
def routed(device: DeviceInfo, stream: str, purpose: str) -> Iterator[int]:
    """Yields the PortAudio index with which a stream on `device` can be opened meanwhile.

    The sound server knows the stream by the name `stream`, and remembers by its `purpose`, a word, how loud
    the user had it: to turn down what is listened to is not to turn down what calls hear. Environment
    variables of the process say so to ALSA; no two threads may do this at a time. Raises DeviceError.
    """
    if not device.on_server:
        yield device.index
        return
    index = alsa_pulse_index()
    variable = "PULSE_SOURCE" if device.direction == "input" else "PULSE_SINK"
    properties = f"{STREAM_PROPERTY}={stream} application.id=masksr-live-{purpose}"
    with _environment({variable: device.name, "PULSE_PROP": properties}):
        yield index


def portaudio() -> ModuleType:
    """PortAudio's Python module. Raises DeviceError when PortAudio is missing."""
    try:
        with _importing:
            import sounddevice
    except OSError as error:
        raise DeviceError(
            _("PortAudio is missing; install it, on Debian with `apt install libportaudio2`.")
        ) from error
    _ready_threads()
    return sounddevice


@cache
def _ready_threads() -> None:
    """Have every thread of Windows open WASAPI's devices: PortAudio readies the one alone that it starts on.

    See portaudio#250.
    """
    if sys.platform == "win32":
        import ctypes

        ctypes.OleDLL("ole32").CoIncrementMTAUsage(ctypes.byref(ctypes.c_void_p()))


@contextmanager
def portaudio_in_use() -> Iterator[ModuleType]:
    """Yields PortAudio's Python module, which is not started anew meanwhile, as that would end every stream.

    Raises DeviceError when PortAudio is missing.
    """
    with _portaudio_use.using():
        yield portaudio()


def renew_devices(patience_seconds: float) -> None:
    """Have PortAudio start anew in this process: it lists what it found when it started.

    Raises DeviceError when PortAudio is missing, or is still in use after `patience_seconds`.
    """
    with _portaudio_use.alone(patience_seconds) as is_unused:
        if not is_unused:
            raise DeviceError(
                _(
                    "Devices cannot be listed anew while one is in use;"
                    " stop playing, or start the engine again."
                )
            )
        _start_anew(portaudio())


def _start_anew(sounddevice: ModuleType) -> None:
    try:
        sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise DeviceError(
            _("PortAudio does not start again ({error}); start this program again.", error=error)
        ) from error


def _portaudio_devices() -> list[DeviceInfo]:
    with portaudio_in_use() as sounddevice:
        return _devices_of(sounddevice)


def _devices_of(sounddevice: ModuleType) -> list[DeviceInfo]:
    host_apis = sounddevice.query_hostapis()
    directions: tuple[Direction, ...] = ("input", "output")
    seen: Counter[tuple[Direction, int, str]] = Counter()

    def description(direction: Direction, entry: dict[str, Any]) -> str:
        """Its name, numbered where there was one of that name before, as of two displays of a kind."""
        device = (direction, entry["hostapi"], entry["name"])
        seen[device] += 1
        return entry["name"] if seen[device] == 1 else f"{entry['name']} #{seen[device]}"

    return [
        DeviceInfo(
            direction,
            entry["index"],
            entry["name"],
            description(direction, entry),
            host_apis[entry["hostapi"]]["name"],
            entry[f"max_{direction}_channels"],
            round(entry["default_samplerate"]),
            is_default=entry["index"] == sounddevice.default.device[direction],
        )
        for direction in directions
        for entry in sounddevice.query_devices()
        if entry[f"max_{direction}_channels"]
    ]


def alsa_pulse_index() -> int:
    """PortAudio's index of ALSA's door to the sound server. Raises DeviceError where it has none."""
    sounddevice = portaudio()
    if "pulse" not in (entry["name"] for entry in sounddevice.query_devices()):
        _start_anew(sounddevice)  # it may have started before the sound server
    for entry in sounddevice.query_devices():
        if entry["name"] == "pulse":
            return int(entry["index"])
    raise DeviceError(
        _(
            "ALSA has no `pulse` device; install what brings it:"
            " libasound2-plugins (Debian), alsa-plugins-pulseaudio (Fedora) or alsa-plugins (Arch)."
        )
    )


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
