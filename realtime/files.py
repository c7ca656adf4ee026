"""Restores audio files, and folders of them, through the same stream as live sound."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from model.errors import AudioFileError, MaskSRError
from model.plan import SAMPLE_RATE_HZ
from realtime.processor import MAX_RATE_HZ, StreamProcessor, WindowRestorer
from realtime.resample import Resampler

FORMATS = {
    ".aif": ("AIFF", "PCM_24"),
    ".aiff": ("AIFF", "PCM_24"),
    ".caf": ("CAF", "PCM_24"),
    ".flac": ("FLAC", "PCM_24"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".ogg": ("OGG", "VORBIS"),
    ".opus": ("OGG", "OPUS"),
    ".w64": ("W64", "PCM_24"),
    ".wav": ("WAV", "PCM_24"),
}
WAV_MAX_BYTES = 2**32 - 2**16
BLOCK_FRAMES = 4096
SLACK_SECONDS = 0.1  # by which compressed formats misjudge their length
MAX_CHANNELS = 2

Frames = NDArray[np.float32]  # [frames, channels]
MakeRestorer = Callable[[], WindowRestorer]
Progress = Callable[[Path, float], None]  # the source at work, and the share of it that is done, 0..1


class SequentialFile(soundfile.SoundFile):  # type: ignore[misc]  # the package has no types
    """A sound file read from start to end: soundfile otherwise seeks after every block, which ruins MP3."""

    def seekable(self) -> bool:
        return False


@dataclass(frozen=True)
class FileReport:
    """What became of one file. `dry_hops` of the `hops` had to be left as they were, for `last_error`."""

    source: Path
    target: Path
    seconds: float
    hops: int
    dry_hops: int
    last_error: str | None


@dataclass
class FolderReport:
    """What became of a folder: `skipped` targets existed already, `failed` sources carry their error."""

    restored: list[FileReport] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: dict[Path, str] = field(default_factory=dict)


def restore_file(source: Path, target: Path, make_restorer: MakeRestorer, progress: Progress) -> FileReport:
    """Restore `source` into `target`, aligned with it and of the same duration.

    The rate is the source's, at least 44.1 kHz so that restored bandwidth fits in and at most 192 kHz;
    the format follows the target's suffix. Each channel is a stream of its own. Memory use does not grow
    with the length. `target`, which may be `source`, is replaced in one step at the very end and not
    touched otherwise. Raises AudioFileError.
    """
    with _replacing(target) as part, _open_source(source) as reader:
        rate_hz = min(max(reader.samplerate, SAMPLE_RATE_HZ), MAX_RATE_HZ)
        streams = [StreamProcessor(make_restorer()) for _ in range(reader.channels)]
        for stream in streams:
            stream.prepare(rate_hz, BLOCK_FRAMES)
        with _open_target(part, target, rate_hz, reader) as writer:
            for block in _restore(_at_rate(_read(reader, source, progress), reader, rate_hz), streams):
                writer.write(block)
            report = _report(source, target, writer.frames / rate_hz, streams)
    return report


def restore_folder(
    source: Path, target: Path, make_restorer: MakeRestorer, progress: Progress
) -> FolderReport:
    """Restore every audio file below `source` to the same place below `target`.

    Targets that exist are complete, because files appear in one step, and are skipped: running it again
    resumes. A file that fails is reported and does not stop the others. Raises AudioFileError when there
    is nothing to do or `target` is `source`.
    """
    if target.resolve() == source.resolve():
        raise AudioFileError(f"{source} would be overwritten; name another folder for the results.")
    sources = [path for path in _audio_files(source) if target.resolve() not in path.resolve().parents]
    if not sources:
        raise AudioFileError(f"{source} holds no audio files; looked for {', '.join(FORMATS)}.")
    report = FolderReport()
    for path in sources:
        goal = target / path.relative_to(source)
        if goal.exists():
            report.skipped.append(goal)
            continue
        try:
            report.restored.append(restore_file(path, goal, make_restorer, progress))
        except MaskSRError as error:
            report.failed[path] = str(error)
    return report


def output_format(target: Path, frames: int, channels: int) -> tuple[str, str]:
    """libsndfile's container and sample format for `target`: 24 bit where the container is lossless.

    A WAV file too long for its 32-bit sizes becomes RF64. Raises AudioFileError for an unknown suffix.
    """
    if target.suffix.lower() not in FORMATS:
        raise AudioFileError(f"{target} has no known audio suffix; use one of {', '.join(FORMATS)}.")
    container, subtype = FORMATS[target.suffix.lower()]
    too_long = container == "WAV" and frames * channels * 3 > WAV_MAX_BYTES
    return ("RF64" if too_long else container), subtype


def _report(source: Path, target: Path, seconds: float, streams: list[StreamProcessor]) -> FileReport:
    hops = sum(stream.stats.hops for stream in streams)
    dry_hops = sum(stream.stats.dry_hops for stream in streams)
    errors = [stream.stats.last_error for stream in streams if stream.stats.last_error]
    if dry_hops == hops:
        raise AudioFileError(f"{source} was not restored at all: {errors[-1]}.")
    return FileReport(source, target, seconds, hops, dry_hops, errors[-1] if errors else None)


def _audio_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in FORMATS and path.is_file() and not path.name.startswith(".")
    )


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it becomes `target` on success and vanishes on any failure."""
    output_format(target, 0, 1)
    if target.is_dir():
        raise AudioFileError(f"{target} is a folder; name a file.")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(target)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioFileError(
            f"{target} could not be written ({error}); check the place and its space."
        ) from error
    finally:
        if part.exists():
            part.unlink()


@contextmanager
def _open_source(source: Path) -> Iterator[SequentialFile]:
    if not source.is_file():
        raise AudioFileError(f"{source} is not there; check the path.")
    if source.suffix.lower() == ".raw":
        raise AudioFileError(f"{source} does not say what it holds; convert it to WAV first.")
    try:
        reader = SequentialFile(source)
    except soundfile.SoundFileError as error:
        raise AudioFileError(f"{source} is damaged or not audio; convert it to WAV or FLAC first.") from error
    with reader:
        if reader.channels > MAX_CHANNELS:
            raise AudioFileError(
                f"{source} has {reader.channels} channels; mix it down to one or two first, "
                "for example with `ffmpeg -i IN -ac 2 OUT`."
            )
        yield reader


@contextmanager
def _open_target(
    part: Path, target: Path, rate_hz: int, reader: SequentialFile
) -> Iterator[soundfile.SoundFile]:
    frames = reader.frames * rate_hz // reader.samplerate
    container, subtype = output_format(target, frames, reader.channels)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        writer = soundfile.SoundFile(part, "w", rate_hz, reader.channels, subtype, format=container)
    except soundfile.SoundFileError as error:
        raise AudioFileError(
            f"{target.suffix} cannot hold {reader.channels} channels at {rate_hz} Hz ({error}); use .wav."
        ) from error
    with writer:
        yield writer


def _read(reader: SequentialFile, source: Path, progress: Progress) -> Iterator[Frames]:
    """The file's blocks; at least one sample in all."""
    done = 0
    try:
        while len(block := reader.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
            yield block
            done += len(block)
            progress(source, min(1.0, done / max(reader.frames, 1)))
    except soundfile.SoundFileError as error:
        raise AudioFileError(
            f"{source} is damaged after {done / reader.samplerate:.1f} s; "
            "repair it first, for example with `ffmpeg -i IN OUT.wav`."
        ) from error
    if not done:
        raise AudioFileError(f"{source} holds no audio; record it again.")
    if done < reader.frames - SLACK_SECONDS * reader.samplerate:
        raise AudioFileError(
            f"{source} is damaged: it ends after {done / reader.samplerate:.1f} s, too early; "
            "repair it first, for example with `ffmpeg -i IN OUT.wav`."
        )


def _at_rate(blocks: Iterator[Frames], reader: SequentialFile, rate_hz: int) -> Iterator[Frames]:
    """The same sound at `rate_hz`, in blocks of at most BLOCK_FRAMES."""
    resamplers = [Resampler(reader.samplerate, rate_hz) for _ in range(reader.channels)]
    for block in blocks:
        channels = [one.push(channel) for one, channel in zip(resamplers, block.T, strict=True)]
        yield from _pieces(np.stack(channels, axis=1))
    yield from _pieces(np.stack([one.flush() for one in resamplers], axis=1))


def _restore(blocks: Iterator[Frames], streams: list[StreamProcessor]) -> Iterator[Frames]:
    """The restored sound without the streams' delay."""
    delay = streams[0].latency_frames
    silence = np.zeros((delay, len(streams)), np.float32)
    for block in chain(blocks, _pieces(silence)):
        channels = [one.process(channel) for one, channel in zip(streams, block.T, strict=True)]
        restored = np.stack(channels, axis=1)
        yield restored[delay:]
        delay -= min(delay, len(restored))


def _pieces(frames: Frames) -> Iterator[Frames]:
    for start in range(0, len(frames), BLOCK_FRAMES):
        yield frames[start : start + BLOCK_FRAMES]
