"""Training data: recordings prepared once into one memory-mapped array, and windows drawn from it.

A data set is a folder with `audio.npy` (int16, mono, 44.1 kHz, every clip back to back) and
`clips.csv` (one row a clip). It is made by `prepare` and read by `Corpus`.
"""

import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from model.errors import DataError
from model.plan import SAMPLE_RATE_HZ

FloatArray = NDArray[np.float32]
AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
FULL_BAND_HZ = 22_050


@dataclass(frozen=True)
class Clip:
    """One clip of a data set; `start` and `length` count samples of its `audio.npy`."""

    start: int
    length: int
    group: str  # who speaks, or what makes the noise: the unit by which sets are split
    kind: str  # "speech" or "noise"
    bandwidth_hz: int


@dataclass(frozen=True)
class Recording:
    """A stretch of a source file that becomes a clip."""

    path: Path
    start_s: float
    duration_s: float | None
    group: str
    kind: str
    bandwidth_hz: int


def prepare(source: Path, output: Path, progress: Callable[[int, int], None]) -> None:
    """Read the recordings below `source` and write the data set `output`.

    `source` either carries `speech.csv`, `kokoro.csv` and `noise.csv`, as the project's own data does, or
    is any folder of recordings with one sub-folder a speaker (or kind of noise, under `noise/`).

    Raises:
        DataError: nothing usable lies below `source`.
    """
    recordings = list(_listed(source)) or list(_found(source))
    if not recordings:
        raise DataError(
            f"{source}: no recordings found; name a folder that holds WAV, FLAC, Ogg or MP3 files"
        )
    output.mkdir(parents=True, exist_ok=True)
    by_file = [list(group) for _, group in groupby(recordings, key=lambda recording: recording.path)]
    clips: list[Clip] = []
    pieces: list[NDArray[np.int16]] = []
    position = 0
    with ThreadPoolExecutor(2) as pool:
        for done, cut in enumerate(pool.map(_read, by_file), 1):
            for recording, samples in cut:
                clips.append(
                    Clip(position, len(samples), recording.group, recording.kind, recording.bandwidth_hz)
                )
                pieces.append(samples)
                position += len(samples)
            progress(done, len(by_file))
    np.save(output / "audio.npy", np.concatenate(pieces))
    with (output / "clips.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(field.name for field in fields(Clip))
        writer.writerows(astuple(clip) for clip in clips)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def _listed(source: Path) -> Iterator[Recording]:
    for row in _rows(source / "speech.csv"):
        start_s, duration_s = float(row["start_s"]), float(row["duration_s"])
        path, group = source / "speech" / row["file"], row["source"] + "/" + row["speaker_group"]
        yield Recording(path, start_s, duration_s, group, "speech", int(row["bandwidth_hz"]))
    for row in _rows(source / "kokoro.csv"):
        start_s, duration_s = float(row["start_s"]), float(row["duration_s"])
        path, group = source / "kokoro" / row["file"], "kokoro/" + row["voice"]
        yield Recording(path, start_s, duration_s, group, "speech", FULL_BAND_HZ)
    for row in _rows(source / "noise.csv"):
        if row["split"] == "train":
            yield Recording(source / "noise" / row["file"], 0.0, None, row["what"], "noise", FULL_BAND_HZ)


def _found(source: Path) -> Iterator[Recording]:
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            kind = "noise" if "noise" in path.relative_to(source).parts[:-1] else "speech"
            yield Recording(path, 0.0, None, path.parent.name, kind, FULL_BAND_HZ)


def _read(recordings: list[Recording]) -> list[tuple[Recording, NDArray[np.int16]]]:
    audio, rate_hz = soundfile.read(recordings[0].path, dtype="float32", always_2d=True)
    mono = soxr.resample(audio.mean(axis=1), rate_hz, SAMPLE_RATE_HZ)
    samples = np.clip(np.round(mono * 32767), -32768, 32767).astype(np.int16)
    cut = []
    for recording in recordings:
        start = round(recording.start_s * SAMPLE_RATE_HZ)
        length = (
            len(samples) if recording.duration_s is None else round(recording.duration_s * SAMPLE_RATE_HZ)
        )
        cut.append((recording, samples[start : start + length]))
    return cut


class Corpus:
    """A prepared data set, and random windows of it.

    Raises:
        DataError: the folder holds no data set.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "audio.npy").exists():
            raise DataError(
                f"{folder} holds no data set; make one with: python main.py data prepare SOURCE {folder}"
            )
        self._audio: NDArray[np.int16] = np.load(folder / "audio.npy", mmap_mode="r")
        clips = [
            Clip(int(row["start"]), int(row["length"]), row["group"], row["kind"], int(row["bandwidth_hz"]))
            for row in _rows(folder / "clips.csv")
        ]
        self.speech = [clip for clip in clips if clip.kind == "speech"]
        self.noise = [clip for clip in clips if clip.kind == "noise"]
        weights = [
            clip.length * (min(clip.bandwidth_hz, FULL_BAND_HZ) / FULL_BAND_HZ) ** 3 for clip in self.speech
        ]
        self._cumulative_weights = np.cumsum(weights)
        self._by_group: dict[str, list[Clip]] = {}
        for clip in self.speech:
            self._by_group.setdefault(clip.group, []).append(clip)

    def samples(self, clip: Clip) -> FloatArray:
        """The clip, float32 in [-1, 1]."""
        return self._audio[clip.start : clip.start + clip.length].astype(np.float32) / np.float32(32768)

    def speech_window(self, length: int, rng: np.random.Generator) -> FloatArray:
        """`length` samples of one voice: its clips joined with pauses, from a random point on.

        Clips are drawn by their duration and more often the wider their band.
        """
        first = self.speech[self._draw(rng)]
        companions = self._by_group[first.group]
        window = np.zeros(length, np.float32)
        offset = int(rng.integers(0, max(1, first.length - length // 4)))
        position, clip = 0, first
        while position < length:
            piece = _faded(self.samples(clip)[offset:])[: length - position]
            window[position : position + len(piece)] = piece
            position += len(piece) + int(rng.uniform(0.1, 0.4) * SAMPLE_RATE_HZ)
            clip, offset = companions[int(rng.integers(len(companions)))], 0
        return window

    def babble(self, length: int, rng: np.random.Generator) -> FloatArray:
        """`length` samples of several voices at once."""
        voices = [self.speech_window(length, rng) for _ in range(int(rng.integers(3, 8)))]
        mixture: FloatArray = np.sum(voices, axis=0, dtype=np.float32)
        return mixture

    def _draw(self, rng: np.random.Generator) -> int:
        return int(np.searchsorted(self._cumulative_weights, rng.uniform(0, self._cumulative_weights[-1])))


def _faded(samples: FloatArray) -> FloatArray:
    """Fade both ends over 5 ms, so that joined clips do not click."""
    ramp = np.linspace(0, 1, min(220, len(samples)), dtype=np.float32)
    samples[: len(ramp)] *= ramp
    samples[len(samples) - len(ramp) :] *= ramp[::-1]
    return samples
