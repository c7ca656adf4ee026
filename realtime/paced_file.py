"""A file that behaves like an audio device: it is heard, and its restoration recorded, at real-time pace."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path
from threading import Event
from time import monotonic

import numpy as np

from model.errors import AudioFileError
from realtime.audio_device import Capture, Playback
from realtime.audio_file import SequentialFile, open_source, open_target, read_blocks, replacing
from realtime.processor import MAX_RATE_HZ, MIN_RATE_HZ
from realtime.ring import Samples

BLOCK_SECONDS = 0.01


class PacedFile:
    """Plays `source`, mixed to mono, as a microphone would, and records what is played back to `target`.

    Both happen block by block, each at its time on the monotonic clock. The recording is aligned with the
    source and of the same length; it ends earlier when stopped early. Raises AudioFileError.
    """

    overruns = 0
    has_one_clock = True

    def __init__(self, source: Path, target: Path) -> None:
        self._source, self._target = source, target
        self.finished = Event()
        self._stopping = Event()
        self._heard_frames = 0
        with open_source(source) as reader:
            rate_hz: int = reader.samplerate
            self.seconds: float = reader.frames / rate_hz
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise AudioFileError(
                f"{source} has {rate_hz} Hz; use one from {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz."
            )
        self.capture_rate_hz = self.playback_rate_hz = rate_hz
        self.capture_block_frames = self.playback_block_frames = round(BLOCK_SECONDS * rate_hz)

    def start(self, capture: Capture, playback: Playback, delay_seconds: float) -> None:
        """Begin, on a thread of its own; see `realtime.audio_device.AudioDevice`."""
        delay_frames = round(delay_seconds * self.capture_rate_hz)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="paced file")
        self._run = self._executor.submit(self._stream, capture, playback, delay_frames)
        self._run.add_done_callback(lambda _: self.finished.set())

    def stop(self) -> None:
        """End the recording where it is and raise the error that ended it early, if one did."""
        self._stopping.set()
        self._executor.shutdown()
        self._run.result()

    def _stream(self, capture: Capture, playback: Playback, delay_frames: int) -> None:
        out, skip = np.zeros(self.playback_block_frames, np.float32), delay_frames
        block_seconds = (
            self.capture_block_frames / self.capture_rate_hz
        )  # the first sample waits for the last
        with (
            replacing(self._target) as part,
            open_source(self._source) as reader,
            open_target(part, self._target, self.capture_rate_hz, 1, reader.frames) as writer,
        ):
            for block in self._at_pace(self._blocks(reader, delay_frames)):
                capture(block, block_seconds)
                playback(out, 0.0)
                writer.write(out[skip:][: self._heard_frames - writer.frames])
                skip -= min(skip, len(out))

    def _blocks(self, reader: SequentialFile, delay_frames: int) -> Iterator[Samples]:
        """The source in whole blocks, then silence until its end has come back."""
        for frames in read_blocks(reader, self.capture_block_frames):
            self._heard_frames += len(frames)
            yield np.pad(frames.mean(axis=1), (0, self.capture_block_frames - len(frames)))
        for _ in range(ceil(delay_frames / self.capture_block_frames)):
            yield np.zeros(self.capture_block_frames, np.float32)

    def _at_pace(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        started = monotonic()
        for number, block in enumerate(blocks):
            due = started + number * self.capture_block_frames / self.capture_rate_hz
            if self._stopping.wait(max(0.0, due - monotonic())):
                return
            yield block
