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
from typing import Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from model.arrays import FloatArray
from model.errors import DataError
from model.plan import SAMPLE_RATE_HZ
from model.segments import active_segments, bandwidth_hz, levelled

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
Split = Literal["train", "dev"]
FULL_BAND_HZ = 22_050
NARROWEST_HZ = 15_000  # speech that ends below this would teach that speech ends there


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
    group: str
    kind: str
    start_s: float = 0.0
    duration_s: float | None = None  # None: all of it, or of speech, wherever there is any
    bandwidth_hz: int | None = None  # None: to be measured


def prepare(source: Path, output: Path, progress: Callable[[int, int], None], split: Split = "train") -> None:
    """Read the recordings below `source` and write the data set `output`.

    `source` either carries `speech.csv`, `kokoro.csv` and `noise.csv`, as the project's own data does, or
    is any folder of recordings with one sub-folder a speaker (or kind of noise, under `noise/`). In the
    latter, speech is found by its level, brought to a common one and kept if it is of full band. Of the
    project's own data, `split` chooses what is to be trained with or what is kept from that.

    Raises:
        DataError: no usable speech lies below `source`.
    """
    listed = _listed_to_train if split == "train" else _listed_to_judge
    recordings = [*listed(source), *_listed_noises(source, split)] or list(_found(source))
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
            for recording, samples, bandwidth in cut:
                clips.append(Clip(position, len(samples), recording.group, recording.kind, bandwidth))
                pieces.append(samples)
                position += len(samples)
            progress(done, len(by_file))
    if not any(clip.kind == "speech" for clip in clips):
        raise DataError(
            f"{source}: no full-band speech found; add recordings at 44.1 kHz or more that reach"
            f" {NARROWEST_HZ} Hz"
        )
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


def _listed_to_train(source: Path) -> Iterator[Recording]:
    for row in _rows(source / "speech.csv"):
        path, group = source / "speech" / row["file"], row["source"] + "/" + row["speaker_group"]
        yield Recording(path, group, "speech", *_place(row), int(row["bandwidth_hz"]))
    for row in _rows(source / "kokoro.csv"):
        path, group = source / "kokoro" / row["file"], "kokoro/" + row["voice"]
        yield Recording(path, group, "speech", *_place(row), FULL_BAND_HZ)


def _listed_to_judge(source: Path) -> Iterator[Recording]:
    for row in _rows(source / "dev" / "index.csv"):
        path = source / "dev" / f"{row['name']}_clean.flac"
        if row["condition"] == "words":
            yield Recording(path, "kokoro/" + row["name"], "speech", bandwidth_hz=FULL_BAND_HZ)
        elif row["condition"] != "noiseonly":
            yield Recording(path, "dev/" + row["name"], "speech")


def _listed_noises(source: Path, split: Split) -> Iterator[Recording]:
    for row in _rows(source / "noise.csv"):
        if row["split"] == split:
            yield Recording(source / "noise" / row["file"], row["what"], "noise")


def _place(row: dict[str, str]) -> tuple[float, float]:
    return float(row["start_s"]), float(row["duration_s"])


def _found(source: Path) -> Iterator[Recording]:
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            kind = "noise" if "noise" in path.relative_to(source).parts[:-1] else "speech"
            yield Recording(path, path.parent.name, kind)


Cut = tuple[Recording, NDArray[np.int16], int]  # with its bandwidth in Hz


def _read(recordings: list[Recording]) -> list[Cut]:
    """The clips of one file."""
    audio, rate_hz = soundfile.read(recordings[0].path, dtype="float32", always_2d=True)
    mono = soxr.resample(audio.mean(axis=1), rate_hz, SAMPLE_RATE_HZ)
    return [cut for recording in recordings for cut in _cut(recording, mono)]


def _cut(recording: Recording, audio: FloatArray) -> Iterator[Cut]:
    start = round(recording.start_s * SAMPLE_RATE_HZ)
    if recording.duration_s is not None:
        pieces = [audio[start : start + round(recording.duration_s * SAMPLE_RATE_HZ)]]
    elif recording.kind == "noise":
        pieces = [audio]
    else:
        pieces = [levelled(audio[segment]) for segment in active_segments(audio)]
    for piece in pieces:
        band = recording.bandwidth_hz or bandwidth_hz(piece)
        if recording.kind == "noise" or band >= NARROWEST_HZ:
            yield recording, np.clip(np.round(piece * 32767), -32768, 32767).astype(np.int16), band


class Corpus:
    """A prepared data set, and random windows of it; `voices` are what the groups of speech begin with.

    Raises:
        DataError: the folder holds no data set, or none of these voices.
    """

    def __init__(self, folder: Path, voices: str = "") -> None:
        if not (folder / "audio.npy").exists():
            raise DataError(
                f"{folder} holds no data set; make one with: python main.py data prepare SOURCE {folder}"
            )
        self._audio: NDArray[np.int16] = np.load(folder / "audio.npy", mmap_mode="r")
        clips = [
            Clip(int(row["start"]), int(row["length"]), row["group"], row["kind"], int(row["bandwidth_hz"]))
            for row in _rows(folder / "clips.csv")
        ]
        self.speech = [clip for clip in clips if clip.kind == "speech" and clip.group.startswith(voices)]
        self.noise = [clip for clip in clips if clip.kind == "noise"]
        if not self.speech:
            raise DataError(f"{folder} has no speech of groups that begin with {voices}; see its clips.csv.")
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
        return self.banded_speech_window(length, rng)[0]

    def banded_speech_window(self, length: int, rng: np.random.Generator) -> tuple[FloatArray, int]:
        """A `speech_window`, and the frequency in Hz up to which all of it tells how speech sounds."""
        first = self.speech[self._draw(rng)]
        companions = self._by_group[first.group]
        window = np.zeros(length, np.float32)
        offset = int(rng.integers(0, max(1, first.length - length // 4)))
        position, clip, band = 0, first, first.bandwidth_hz
        while position < length:
            piece = _faded(self.samples(clip)[offset:])[: length - position]
            window[position : position + len(piece)] = piece
            position += len(piece) + int(rng.uniform(0.1, 0.4) * SAMPLE_RATE_HZ)
            band = min(band, clip.bandwidth_hz)
            clip, offset = companions[int(rng.integers(len(companions)))], 0
        return window, band

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
