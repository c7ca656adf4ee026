"""A booth on the sound server: what is said in it and what comes out are heard as one, to the sample."""

import os
from collections.abc import Callable
from threading import Event
from types import TracebackType
from typing import Any, Self

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from realtime.device_info import Direction, choose_device
from realtime.devices import list_devices, portaudio, routed
from realtime.ring import Samples
from realtime.sound_server import sound_server

ONE_SIDE = "channels=1 channel_map=mono remix=no"
BUFFER_SECONDS = 0.1


class Booth:
    """Virtual devices, while the context is open, between which a live session can be measured.

    What is said is heard by the source `microphone`; the sink `output` is for what becomes of it. The two
    are the channels of one stream and so have one clock. Raises SoundServerError.
    """

    def __init__(self) -> None:
        self._name = f"masksr_booth_{os.getpid()}"
        self._voice, self._both = f"{self._name}_voice", f"{self._name}.monitor"
        self.microphone, self.output = f"{self._name}_microphone", f"{self._name}_output"

    def __enter__(self) -> Self:
        self._modules: list[int] = []
        with sound_server() as server:
            for module, arguments in self._parts():
                self._modules.append(server.module_load(module, arguments))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with sound_server() as server:
            for module in reversed(self._modules):
                server.module_unload(module)

    def say(self, sound: Samples, rest_seconds: float) -> tuple[Samples, Samples]:
        """Play float32 `sound`, 44.1 kHz, and silence after it; return what was said and what came out.

        Both are float32 of the same length and begin at the same, unknown, instant.
        """
        padded = np.concatenate([sound, np.zeros(round(rest_seconds * SAMPLE_RATE_HZ), np.float32)])
        heard: list[Samples] = []
        done, position = Event(), 0

        def play(block: Samples, frames: int, time: Any, status: Any) -> None:
            nonlocal position
            rest = padded[position : position + frames]
            block[: len(rest), 0], block[len(rest) :] = rest, 0.0
            position += frames
            if position >= len(padded):
                done.set()

        def hear(block: Samples, frames: int, time: Any, status: Any) -> None:
            heard.append(block.copy())

        with self._stream("input", self._both, 2, hear), self._stream("output", self._voice, 1, play):
            done.wait()
        voice, output = np.concatenate(heard).T
        return voice.copy(), output.copy()

    def _parts(self) -> list[tuple[str, str]]:
        sides = "channels=2 channel_map=front-left,front-right"
        left, right = ("master_channel_map=front-left", "master_channel_map=front-right")
        return [
            ("module-null-sink", f"sink_name={self._name} {sides} rate={SAMPLE_RATE_HZ}"),
            ("module-remap-sink", f"sink_name={self._voice} master={self._name} {left} {ONE_SIDE}"),
            ("module-remap-sink", f"sink_name={self.output} master={self._name} {right} {ONE_SIDE}"),
            ("module-remap-source", f"source_name={self.microphone} master={self._both} {left} {ONE_SIDE}"),
        ]

    def _stream(self, direction: Direction, name: str, channels: int, callback: Callable[..., None]) -> Any:
        kind = portaudio().InputStream if direction == "input" else portaudio().OutputStream
        with routed(choose_device(list_devices(), name, direction), self._name) as index:
            return kind(
                device=index,
                channels=channels,
                samplerate=SAMPLE_RATE_HZ,
                latency=BUFFER_SECONDS,
                dtype="float32",
                callback=callback,
            )
