"""A booth on the sound server: what is said in it and what comes out are heard as one, to the sample."""

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from threading import Event
from types import TracebackType
from typing import Any, Self

import numpy as np

from model.plan import SAMPLE_RATE_HZ
from model.translation import _
from realtime.device_info import Direction, choose_device
from realtime.devices import list_devices, portaudio, routed
from realtime.processes import identity, is_running
from realtime.ring import Samples
from realtime.sound_server import SoundServerError, sound_server

ONE_SIDE = "channels=1 channel_map=mono remix=no"
BUFFER_SECONDS = 0.1
PATIENCE_SECONDS = 10.0  # with a busy machine
BOOTH_PROPERTY = "masksr.booth"  # marks on the sound server what belongs to one, with its process


@dataclass
class _Line:
    """What is to be said, how far that has come, and what was heard meanwhile."""

    sound: Samples
    said: int = 0  # frames
    heard: list[Samples] = field(default_factory=list)
    is_over: Event = field(default_factory=Event)


class Booth:
    """Virtual devices, while the context is open, between which a live session can be measured.

    What is said is heard by the source `microphone`; the sink `output` is for what becomes of it. The two
    are the channels of one stream and so have one clock. What was left of others, whose process was killed,
    is removed first. Raises SoundServerError.
    """

    def __init__(self) -> None:
        self._name = f"masksr_booth_{os.getpid()}"
        self._voice, self._both = f"{self._name}_voice", f"{self._name}.monitor"
        self.microphone, self.output = f"{self._name}_microphone", f"{self._name}_output"

    def __enter__(self) -> Self:
        self._line = _Line(np.zeros(0, np.float32))
        with ExitStack() as opening:
            self._furnish(opening)
            self._open(opening, "input", self._both, 2, self._hear)
            self._open(opening, "output", self._voice, 1, self._say)
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def say(self, sound: Samples, rest_seconds: float) -> tuple[Samples, Samples]:
        """Play float32 `sound`, 44.1 kHz, and silence after it; return what was said and what came out.

        Both are float32 of the same length and begin at the same, unknown, instant. Raises SoundServerError.
        """
        rest = np.zeros(round(rest_seconds * SAMPLE_RATE_HZ), np.float32)
        self._line = line = _Line(np.concatenate([sound, rest]))
        if not line.is_over.wait(len(line.sound) / SAMPLE_RATE_HZ + PATIENCE_SECONDS):
            raise SoundServerError(_("The sound server went away meanwhile; measure again."))
        voice, output = np.concatenate(line.heard).T
        return voice.copy(), output.copy()

    def _say(self, block: Samples, frames: int, time: Any, status: Any) -> None:
        line = self._line
        part = line.sound[line.said : line.said + frames]
        block[: len(part), 0], block[len(part) :] = part, 0.0
        line.said += frames
        if line.said >= len(line.sound):
            line.is_over.set()

    def _hear(self, block: Samples, frames: int, time: Any, status: Any) -> None:
        line = self._line
        if not line.is_over.is_set():
            line.heard.append(block.copy())

    def _furnish(self, opening: ExitStack) -> None:
        remove_leftover_booths()
        with sound_server() as server:
            for module, arguments in self._parts():
                opening.callback(_unload, server.module_load(module, arguments))

    def _parts(self) -> list[tuple[str, str]]:
        sides = "channels=2 channel_map=front-left,front-right"
        left, right = ("master_channel_map=front-left", "master_channel_map=front-right")
        parts = [
            ("null-sink", f"sink_name={self._name} {sides} rate={SAMPLE_RATE_HZ}"),
            ("remap-sink", f"sink_name={self._voice} master={self._name} {left} {ONE_SIDE}"),
            ("remap-sink", f"sink_name={self.output} master={self._name} {right} {ONE_SIDE}"),
            ("remap-source", f"source_name={self.microphone} master={self._both} {left} {ONE_SIDE}"),
        ]
        mark = f"properties={BOOTH_PROPERTY}={identity(os.getpid())}"
        return [
            (f"module-{part}", f"{arguments} {part.partition('-')[2]}_{mark}") for part, arguments in parts
        ]

    def _open(
        self,
        opening: ExitStack,
        direction: Direction,
        name: str,
        channels: int,
        callback: Callable[..., None],
    ) -> None:
        kind = portaudio().InputStream if direction == "input" else portaudio().OutputStream
        with routed(choose_device(list_devices(), name, direction), self._name, "booth") as index:
            stream = kind(
                device=index,
                channels=channels,
                samplerate=SAMPLE_RATE_HZ,
                latency=BUFFER_SECONDS,
                dtype="float32",
                callback=callback,
            )
        opening.enter_context(stream)
        opening.callback(stream.abort)  # to stop in order would wait for a server that went away


def remove_leftover_booths() -> None:
    """Remove what processes that were killed left of theirs. Raises SoundServerError."""
    with sound_server() as server:
        marked = [
            (node.owner_module, node.proplist[BOOTH_PROPERTY])
            for node in (*server.sink_list(), *server.source_list())
            if BOOTH_PROPERTY in node.proplist
        ]
        left = {module for module, process in marked if not is_running(process)}
        for module in sorted(left, reverse=True):  # what is built on another came after it
            server.module_unload(module)


def _unload(module: int) -> None:
    with suppress(SoundServerError), sound_server() as server:  # what it had went with it
        server.module_unload(module)
