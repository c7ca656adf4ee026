"""Microphones and speakers, through PortAudio."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Event
from types import ModuleType
from typing import Any, Literal

import numpy as np

from model.errors import MaskSRError
from model.plan import SAMPLE_RATE_HZ
from realtime.ring import Samples

BLOCK_SECONDS = 0.01
BUFFER_SECONDS = 0.04  # asked of the system; it hands sound over in bursts of up to this

Direction = Literal["input", "output"]


class DeviceError(MaskSRError):
    """An audio device cannot be found or opened."""


@dataclass(frozen=True)
class DeviceInfo:
    """One device as PortAudio lists it."""

    index: int
    name: str
    host_api: str
    input_channels: int
    output_channels: int
    default_rate_hz: int

    def channels(self, direction: Direction) -> int:
        return self.input_channels if direction == "input" else self.output_channels


def list_devices() -> list[DeviceInfo]:
    """Every device there is, without opening any. Raises DeviceError when PortAudio is missing."""
    portaudio = _portaudio()
    host_apis = portaudio.query_hostapis()
    return [
        DeviceInfo(
            index,
            entry["name"],
            host_apis[entry["hostapi"]]["name"],
            entry["max_input_channels"],
            entry["max_output_channels"],
            round(entry["default_samplerate"]),
        )
        for index, entry in enumerate(portaudio.query_devices())
    ]


def default_device(direction: Direction) -> DeviceInfo:
    """The system's default microphone or speaker. Raises DeviceError when there is none."""
    index = _portaudio().default.device[direction]
    if index < 0:
        raise DeviceError(f"There is no {direction} device; connect one, or name one of those listed.")
    return list_devices()[index]


def choose_device(devices: Sequence[DeviceInfo], choice: str, direction: Direction) -> DeviceInfo:
    """The device that `choice` names: its index, its name, or a part of its name in any case.

    Raises DeviceError, with the names there are, when none or several fit.
    """
    usable = [device for device in devices if device.channels(direction)]
    exact = [device for device in usable if choice in (str(device.index), device.name)]
    fitting = exact or [device for device in usable if choice.lower() in device.name.lower()]
    if len(fitting) != 1:
        listed = ", ".join(f"{device.index} {device.name}" for device in fitting or usable) or "none"
        problem = "fits several" if fitting else "is not among the"
        raise DeviceError(f"'{choice}' {problem} {direction} devices; choose one of: {listed}.")
    return fitting[0]


class DevicePair:
    """A microphone and a speaker, or two ends of virtual devices, as one `realtime.engine.AudioDevice`.

    Opens at the model's 44.1 kHz where the system converts to that, because it does so with less delay
    than resampling here. Raises DeviceError.
    """

    def __init__(self, microphone: DeviceInfo, speaker: DeviceInfo) -> None:
        self._microphone, self._speaker = microphone, speaker
        self.finished = Event()
        self.overruns = 0
        self.sample_rate_hz = self._common_rate_hz()
        self.block_frames = round(BLOCK_SECONDS * self.sample_rate_hz)
        self.jitter_ms = 1000.0 * BUFFER_SECONDS
        self.capture_ms = self.output_ms = 0.0  # known once open

    def start(
        self, capture: Callable[[Samples], None], playback: Callable[[Samples], None], delay_frames: int
    ) -> None:
        """Open both streams; see `realtime.engine.AudioDevice`."""
        out: Samples = np.zeros(self.block_frames, np.float32)

        def on_input(block: Samples, frames: int, time: Any, status: Any) -> None:
            self.overruns += bool(status)
            capture(block[:, 0])

        def on_output(block: Samples, frames: int, time: Any, status: Any) -> None:
            self.overruns += bool(status)
            playback(out)
            block[:] = out[:, np.newaxis]

        portaudio = _portaudio()
        shape = {
            "samplerate": self.sample_rate_hz,
            "blocksize": self.block_frames,
            "latency": BUFFER_SECONDS,
            "dtype": "float32",
        }
        try:
            with ExitStack() as opening:
                heard = opening.enter_context(
                    portaudio.InputStream(
                        device=self._microphone.index,
                        channels=1,
                        callback=on_input,
                        finished_callback=self.finished.set,
                        **shape,
                    )
                )
                played = opening.enter_context(
                    portaudio.OutputStream(
                        device=self._speaker.index,
                        channels=min(2, self._speaker.output_channels),
                        callback=on_output,
                        **shape,
                    )
                )
                self._streams = opening.pop_all()
        except portaudio.PortAudioError as error:
            raise DeviceError(
                f"{self._microphone.name} and {self._speaker.name} cannot be opened ({error}); choose others."
            ) from error
        self.capture_ms = 1000.0 * max(heard.latency, BLOCK_SECONDS)
        self.output_ms = 1000.0 * max(played.latency, BLOCK_SECONDS)

    def stop(self) -> None:
        """Close both streams."""
        self._streams.close()

    def _common_rate_hz(self) -> int:
        portaudio, microphone, speaker = _portaudio(), self._microphone, self._speaker
        rates = (SAMPLE_RATE_HZ, microphone.default_rate_hz, speaker.default_rate_hz)
        for rate_hz in rates:
            with suppress(portaudio.PortAudioError):
                portaudio.check_input_settings(microphone.index, 1, "float32", samplerate=rate_hz)
                portaudio.check_output_settings(
                    speaker.index, min(2, speaker.output_channels), "float32", samplerate=rate_hz
                )
                return rate_hz
        raise DeviceError(
            f"{microphone.name} and {speaker.name} share none of the rates {rates}; "
            "set both to 48000 Hz in the system's sound settings."
        )


def _portaudio() -> ModuleType:
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            "PortAudio is missing; install it, on Debian with `apt install libportaudio2`."
        ) from error
    return sounddevice
