"""Audio files as the program reads and writes them: from start to end, and in one step."""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from model.errors import AudioFileError
from model.plan import SAMPLE_RATE_HZ
from model.translation import N_, _, ngettext
from realtime.processor import MAX_RATE_HZ

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
RATES_HZ = {".mp3": (44_100, 48_000), ".opus": (48_000, 48_000)}  # where not all that sound may have
WAV_MAX_BYTES = 2**32 - 2**16
MAX_CHANNELS = 2
UNKNOWN_FRAMES = 2**63 - 1  # as libsndfile has it
SLACK_SECONDS = 0.1  # by which compressed formats misjudge their length
REPAIR = N_("repair it first, for example with `ffmpeg -i IN OUT.wav`")

Frames = NDArray[np.float32]  # [frames, channels]


class SequentialFile(soundfile.SoundFile):  # type: ignore[misc]  # the package has no types
    """A sound file read from start to end: soundfile otherwise seeks after every block, which ruins MP3."""

    def seekable(self) -> bool:
        return False

    @property
    def frames(self) -> int:
        """As the file says it; 0 where it does not, as a FLAC file whose writer could not go back to tell."""
        frames: int = super().frames
        return 0 if frames == UNKNOWN_FRAMES else frames


class FaithfulFile(io.FileIO):
    """A file for libsndfile, which keeps some failures to itself: the end of the context raises the first."""

    failure: OSError | None = None

    def write(self, data: bytes) -> int:  # type: ignore[override]  # what soundfile gives
        """Write `data`; return how many bytes of it."""
        written = 0
        try:
            written = super().write(data)
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self.failure = self.failure or error
        return written

    def __exit__(self, *of_context: object) -> None:
        super().__exit__(*of_context)  # type: ignore[arg-type]
        if self.failure is not None:
            raise self.failure


def output_format(target: Path, frames: int, channels: int) -> tuple[str, str]:
    """libsndfile's container and sample format for `target`: 24 bit where the container is lossless.

    A WAV file too long for its 32-bit sizes becomes RF64. Raises AudioFileError for an unknown suffix.
    """
    if target.suffix.lower() not in FORMATS:
        raise AudioFileError(
            _(
                "{target} has no known audio suffix; use one of {suffixes}.",
                target=target,
                suffixes=", ".join(FORMATS),
            )
        )
    container, subtype = FORMATS[target.suffix.lower()]
    too_long = container == "WAV" and frames * channels * 3 > WAV_MAX_BYTES
    return ("RF64" if too_long else container), subtype


def rate_hz_of(target: Path, source_hz: int) -> int:
    """The rate of restored sound in `target`: the source's, as far as it is one of the format's."""
    lowest, highest = RATES_HZ.get(target.suffix.lower(), (SAMPLE_RATE_HZ, MAX_RATE_HZ))
    return min(max(source_hz, lowest), highest)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it becomes `target` on success and vanishes on any failure."""
    output_format(target, 0, 1)
    if target.is_dir():
        raise AudioFileError(_("{target} is a folder; name a file.", target=target))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(target)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioFileError(
            _(
                "{target} could not be written ({error}); check the place and its space.",
                target=target,
                error=error,
            )
        ) from error
    finally:
        if part.exists():
            part.unlink()


def require_file(source: Path) -> None:
    """Raises AudioFileError where there is none."""
    if not source.is_file():
        raise AudioFileError(_("{source} is not there; check the path.", source=source))


@contextmanager
def open_source(source: Path) -> Iterator[SequentialFile]:
    """`source`, open for reading; mono or stereo. Raises AudioFileError."""
    require_file(source)
    if source.suffix.lower() == ".raw":
        raise AudioFileError(
            _("{source} does not say what it holds; convert it to WAV first.", source=source)
        )
    try:
        reader = SequentialFile(source)
    except soundfile.SoundFileError as error:
        raise AudioFileError(
            _("{source} is damaged or not audio; convert it to WAV or FLAC first.", source=source)
        ) from error
    with reader:
        if reader.channels > MAX_CHANNELS:
            raise AudioFileError(
                ngettext(
                    "{source} has {count} channel; mix it down to one or two first, "
                    "for example with `ffmpeg -i IN -ac 2 OUT`.",
                    "{source} has {count} channels; mix it down to one or two first, "
                    "for example with `ffmpeg -i IN -ac 2 OUT`.",
                    reader.channels,
                    source=source,
                )
            )
        yield reader


def read_blocks(reader: SequentialFile, block_frames: int) -> Iterator[Frames]:
    """The whole sound in blocks, the last one shorter. Raises AudioFileError where it is damaged or empty."""
    done = 0
    try:
        while len(block := reader.read(block_frames, dtype="float32", always_2d=True)):
            yield block
            done += len(block)
    except soundfile.SoundFileError as error:
        raise AudioFileError(
            _("{source} is damaged ({error}); {repair}.", source=reader.name, error=error, repair=_(REPAIR))
        ) from error
    if not done:
        raise AudioFileError(_("{source} holds no audio; record it again.", source=reader.name))
    if done < reader.frames - SLACK_SECONDS * reader.samplerate:
        raise AudioFileError(
            _("{source} is damaged: it ends too early; {repair}.", source=reader.name, repair=_(REPAIR))
        )


@contextmanager
def open_target(
    part: Path, target: Path, rate_hz: int, channels: int, frames: int
) -> Iterator[soundfile.SoundFile]:
    """`part`, open for writing about `frames` frames in the format that `target` names.

    Makes the folder where needed. Raises AudioFileError, or OSError for `replacing` to explain.
    """
    container, subtype = output_format(target, frames, channels)
    part.parent.mkdir(parents=True, exist_ok=True)
    with FaithfulFile(part, "w+") as file:
        try:
            writer = soundfile.SoundFile(file, "w", rate_hz, channels, subtype, format=container)
        except soundfile.SoundFileError as error:
            raise AudioFileError(
                _(
                    "{suffix} cannot hold {channels} channel(s) at {rate} Hz ({error}); use .wav.",
                    suffix=target.suffix,
                    channels=channels,
                    rate=rate_hz,
                    error=error,
                )
            ) from error
        with writer:
            yield writer
