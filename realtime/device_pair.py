"""A microphone and a speaker, or two ends of virtual devices, as one device of a live session."""

import os
from contextlib import ExitStack, suppress
from threading import Event
from typing import Any

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.audio_device import Capture, Playback
from realtime.device_info import DeviceError, DeviceInfo, Direction, choose_device
from realtime.device_watcher import DeviceWatcher
from realtime.devices import list_devices, portaudio, routed
from realtime.ring import Samples
from realtime.sound_server import SoundServerError, place_stream

BLOCK_SECONDS = 0.01
BUFFER_SECONDS = 0.02  # asked of the system
LONGEST_SECONDS = 2.0  # of delay that a device can be believed to have


class DevicePair:
    """What the user chose as microphone and speaker, as one `realtime.audio_device.AudioDevice`.

    None means the system's default, and on a sound server a stream follows it when another becomes the
    default. Raises DeviceError.
    """

    has_one_clock = False

    def __init__(self, microphone: str | None, speaker: str | None) -> None:
        self._choices: dict[Direction, str | None] = {"input": microphone, "output": speaker}
        self._choose()
        self._stream = f"{os.getpid()}-{id(self)}"
        self.finished = Event()
        self.overruns = 0
        self.capture_rate_hz = self._rate_hz("input")
        self.playback_rate_hz = self._rate_hz("output")
        self.capture_block_frames = round(BLOCK_SECONDS * self.capture_rate_hz)
        self.playback_block_frames = round(BLOCK_SECONDS * self.playback_rate_hz)

    @property
    def microphone(self) -> DeviceInfo:
        return self._devices["input"]

    @property
    def speaker(self) -> DeviceInfo:
        return self._devices["output"]

    def start(self, capture: Capture, playback: Playback, delay_seconds: float) -> None:
        """Open both streams; see `realtime.audio_device.AudioDevice`."""
        out: Samples = np.zeros(self.playback_block_frames, np.float32)

        def on_input(block: Samples, frames: int, time: Any, status: Any) -> None:
            self.overruns += bool(status)
            capture(block[:, 0], _delay(time.currentTime - time.inputBufferAdcTime))

        def on_output(block: Samples, frames: int, time: Any, status: Any) -> None:
            self.overruns += bool(status)
            playback(out, _delay(time.outputBufferDacTime - time.currentTime))
            block[:] = out[:, np.newaxis]

        self._choose()
        try:
            with ExitStack() as opening:
                opening.enter_context(
                    self._open("input", 1, callback=on_input, finished_callback=self.finished.set)
                )
                opening.enter_context(self._open("output", min(2, self.speaker.channels), callback=on_output))
                if self.microphone.on_server:
                    opening.enter_context(DeviceWatcher(self._place))
                self._opened = opening.pop_all()
        except portaudio().PortAudioError as error:
            names = f"{self.microphone.description} and {self.speaker.description}"
            raise DeviceError(f"{names} cannot be opened ({error}); choose others.") from error

    def stop(self) -> None:
        """Close both streams."""
        self._opened.close()

    def _choose(self) -> None:
        devices = list_devices()
        self._devices = {
            direction: choose_device(devices, choice, direction)
            for direction, choice in self._choices.items()
        }

    def _place(self, devices: list[DeviceInfo]) -> None:
        """Have the streams where the choices say, wherever the server moves or ALSA reopens them."""
        for direction, choice in self._choices.items():
            with suppress(DeviceError):  # none fits now: stay with the one before
                self._devices[direction] = choose_device(devices, choice, direction)
            with suppress(SoundServerError):  # it has just gone: the next event tells more
                place_stream(self._stream, self._devices[direction])

    def _open(self, direction: Direction, channels: int, **callbacks: Any) -> Any:
        """A stream of PortAudio's, not yet started."""
        kind = portaudio().InputStream if direction == "input" else portaudio().OutputStream
        with routed(self._devices[direction], self._stream) as index:
            return kind(
                device=index,
                channels=channels,
                samplerate=self.capture_rate_hz if direction == "input" else self.playback_rate_hz,
                blocksize=self.capture_block_frames if direction == "input" else self.playback_block_frames,
                latency=BUFFER_SECONDS,
                dtype="float32",
                **callbacks,
            )

    def _rate_hz(self, direction: Direction) -> int:
        """The model's where the system converts to that: with less delay than a resampler here has."""
        device = self._devices[direction]
        return SAMPLE_RATE_HZ if device.on_server else device.rate_hz


def _delay(seconds: float) -> float:
    """What PortAudio says of a delay where it can be true: some systems leave it out or forget a block."""
    return max(seconds, BLOCK_SECONDS) if 0.0 < seconds <= LONGEST_SECONDS else BUFFER_SECONDS
