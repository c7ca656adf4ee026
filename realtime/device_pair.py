"""A microphone and a speaker, or two ends of virtual devices, as one device of a live session."""

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from threading import Event
from typing import Any

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.device_info import DeviceError, DeviceInfo, Direction, choose_device
from realtime.device_watcher import DeviceWatcher
from realtime.devices import list_devices, portaudio, routed
from realtime.ring import Samples
from realtime.sound_server import SoundServerError, place_stream

BLOCK_SECONDS = 0.01
BUFFER_SECONDS = 0.04  # asked of the system; it hands sound over in bursts of up to this


class DevicePair:
    """What the user chose as microphone and speaker, as one `realtime.engine.AudioDevice`.

    None means the system's default, and on a sound server a stream follows it when another becomes the
    default. Opens at the model's 44.1 kHz where the system converts to that, because it does so with less
    delay than resampling here. Raises DeviceError.
    """

    def __init__(self, microphone: str | None, speaker: str | None) -> None:
        self._choices: dict[Direction, str | None] = {"input": microphone, "output": speaker}
        self._choose()
        self._stream = f"{os.getpid()}-{id(self)}"
        self.finished = Event()
        self.overruns = 0
        self.sample_rate_hz = self._common_rate_hz()
        self.block_frames = round(BLOCK_SECONDS * self.sample_rate_hz)
        self.jitter_ms = 1000.0 * BUFFER_SECONDS
        self.capture_ms = self.output_ms = 0.0  # known once open

    @property
    def microphone(self) -> DeviceInfo:
        return self._devices["input"]

    @property
    def speaker(self) -> DeviceInfo:
        return self._devices["output"]

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

        self._choose()
        try:
            with ExitStack() as opening:
                heard = opening.enter_context(
                    self._open("input", 1, callback=on_input, finished_callback=self.finished.set)
                )
                played = opening.enter_context(
                    self._open("output", min(2, self.speaker.channels), callback=on_output)
                )
                if self.microphone.on_server:
                    opening.enter_context(DeviceWatcher(self._place))
                self._opened = opening.pop_all()
        except portaudio().PortAudioError as error:
            names = f"{self.microphone.description} and {self.speaker.description}"
            raise DeviceError(f"{names} cannot be opened ({error}); choose others.") from error
        self.capture_ms = 1000.0 * max(heard.latency, BLOCK_SECONDS)
        self.output_ms = 1000.0 * max(played.latency, BLOCK_SECONDS)

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
                samplerate=self.sample_rate_hz,
                blocksize=self.block_frames,
                latency=BUFFER_SECONDS,
                dtype="float32",
                **callbacks,
            )

    def _common_rate_hz(self) -> int:
        microphone, speaker = self.microphone, self.speaker
        if microphone.on_server and speaker.on_server:
            return SAMPLE_RATE_HZ
        rates = (SAMPLE_RATE_HZ, microphone.rate_hz, speaker.rate_hz)
        for rate_hz in rates:
            with suppress(portaudio().PortAudioError):
                portaudio().check_input_settings(microphone.index, 1, "float32", samplerate=rate_hz)
                portaudio().check_output_settings(
                    speaker.index, min(2, speaker.channels), "float32", samplerate=rate_hz
                )
                return rate_hz
        raise DeviceError(
            f"{microphone.description} and {speaker.description} share none of the rates {rates}; "
            "set both to 48000 Hz in the system's sound settings."
        )
