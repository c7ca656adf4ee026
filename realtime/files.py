"""Restores audio files, and folders of them, through the same stream as live sound."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from model.errors import AudioFileError, GraphicsCardError, MaskSRError
from model.translation import _
from realtime.audio_file import (
    FORMATS,
    Frames,
    SequentialFile,
    open_source,
    open_target,
    rate_hz_of,
    read_blocks,
    replacing,
    require_file,
)
from realtime.processor import StreamProcessor, WindowRestorer
from realtime.resample import Resampler

BLOCK_FRAMES = 4096

MakeRestorer = Callable[[], WindowRestorer]
Progress = Callable[[Path, float], None]  # the source at work, and the share of it that is done, 0..1


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

    The rate is the source's, at least 44.1 kHz so that restored bandwidth fits in and at most 192 kHz, or
    what the format has; the format follows the target's suffix. Each channel is a stream of its own. Memory
    use does not grow with the length. `target`, which may be `source`, is replaced in one step at the very
    end and not touched otherwise. Raises AudioFileError and GraphicsCardError.
    """
    require_file(source)  # a path that is mistyped counts before what the target would be
    with replacing(target) as part, open_source(source) as reader:
        rate_hz = rate_hz_of(target, reader.samplerate)
        streams = [StreamProcessor(make_restorer()) for _ in range(reader.channels)]
        for stream in streams:
            stream.prepare(rate_hz, BLOCK_FRAMES)
        frames = reader.frames * rate_hz // reader.samplerate
        with open_target(part, target, rate_hz, reader.channels, frames) as writer:
            for block in _restore(_at_rate(reader, rate_hz), streams):
                writer.write(block)
                progress(source, min(1.0, writer.frames / frames) if frames else 0.0)
            progress(source, 1.0)
            report = _report(source, target, writer.frames / rate_hz, streams)
    return report


def restore_folder(
    source: Path, target: Path, make_restorer: MakeRestorer, progress: Progress
) -> FolderReport:
    """Restore every audio file below `source` to the same place below `target`.

    Targets that exist are complete, because files appear in one step, and are skipped: running it again
    resumes. A file that fails is reported and does not stop the others. Raises AudioFileError when there
    is nothing to do or `target` is `source`, and GraphicsCardError.
    """
    if target.resolve() == source.resolve():
        raise AudioFileError(
            _("{source} would be overwritten; name another folder for the results.", source=source)
        )
    sources = [path for path in audio_files(source) if target.resolve() not in path.resolve().parents]
    if not sources:
        raise AudioFileError(
            _(
                "{source} holds no audio files; looked for {suffixes}.",
                source=source,
                suffixes=", ".join(FORMATS),
            )
        )
    report = FolderReport()
    for path in sources:
        goal = target / path.relative_to(source)
        if goal.exists():
            report.skipped.append(goal)
            continue
        try:
            report.restored.append(restore_file(path, goal, make_restorer, progress))
        except GraphicsCardError:
            raise
        except MaskSRError as error:
            report.failed[path] = str(error)
    return report


def audio_files(folder: Path) -> list[Path]:
    """Every audio file below `folder`, sorted; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in FORMATS and path.is_file() and not path.name.startswith(".")
    )


def _report(source: Path, target: Path, seconds: float, streams: list[StreamProcessor]) -> FileReport:
    hops = sum(stream.stats.hops for stream in streams)
    dry_hops = sum(stream.stats.dry_hops for stream in streams)
    errors = [stream.stats.last_error for stream in streams if stream.stats.last_error]
    if dry_hops == hops:
        raise AudioFileError(
            _("{source} was not restored at all: {problem}.", source=source, problem=errors[-1])
        )
    return FileReport(source, target, seconds, hops, dry_hops, errors[-1] if errors else None)


def _at_rate(reader: SequentialFile, rate_hz: int) -> Iterator[Frames]:
    """The file's sound at `rate_hz`, in blocks of at most BLOCK_FRAMES."""
    resamplers = [Resampler(reader.samplerate, rate_hz) for _ in range(reader.channels)]
    for block in read_blocks(reader, BLOCK_FRAMES):
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
