"""Looks over everything a live session needs, and says what to do about what is missing."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

from model.errors import MaskSRError
from model.plan import SAMPLE_RATE_HZ
from realtime.audio_file import open_source, read_blocks
from realtime.demo import SAMPLE
from realtime.device_info import choose_device
from realtime.devices import list_devices, portaudio
from realtime.model_loader import load_model
from realtime.model_process import Load, LoadedModel, ModelOrder
from realtime.offline import restore_audio
from realtime.processes import REAL_TIME_PRIORITY
from realtime.session_file import session_path
from realtime.sound_server import sound_server
from realtime.virtual_mic import status

MEASURED_SECONDS = 4


class ProblemError(MaskSRError):
    """What is wrong and what to do about it."""


@dataclass(frozen=True)
class Finding:
    """What one check found; when it is not `ok`, `says` tells what to do."""

    name: str
    ok: bool
    says: str


def examine(preset: str | None = None, load: Load = load_model) -> Iterator[Finding]:
    """Check one thing after the other; the last ones load the model and take some seconds."""
    yield _check("sound server", _sound_server)
    yield _check("PortAudio", _portaudio)
    yield _check("microphone", lambda: choose_device(list_devices(), None, "input").description)
    yield _check("speaker", lambda: choose_device(list_devices(), None, "output").description)
    yield _check("virtual microphone", _virtual_mic)
    yield _check("permissions", _permissions)
    loaded: list[LoadedModel] = []
    yield _check("model", lambda: _load(preset, load, loaded))
    for model in loaded:
        yield _check("speed", lambda model=model: _speed(model))  # type: ignore[misc]


def _check(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, look())
    except (MaskSRError, OSError) as error:
        return Finding(name, False, str(error))


def _sound_server() -> str:
    if sys.platform != "linux":
        return "not needed on this system"
    with sound_server() as server:
        return str(server.server_info().server_name)


def _portaudio() -> str:
    return str(portaudio().get_portaudio_version()[1])


def _virtual_mic() -> str:
    now = status()
    if now.state == "leftover":
        return "left by a session that died; the next one removes it"
    if now.is_default:
        raise ProblemError("It is the system's default microphone; make the one to be restored the default.")
    return now.state if now.microphone is None else f"{now.state}: {now.microphone}"


def _permissions() -> str:
    session_path().parent.mkdir(parents=True, exist_ok=True)
    if not os.access(session_path().parent, os.W_OK):
        raise ProblemError(f"{session_path().parent} cannot be written; make it yours.")
    if sys.platform == "linux" and not _may_be_urgent():
        raise ProblemError(
            "Sound threads may not come first; add `@audio - rtprio 95` to /etc/security/limits.d/audio.conf,"
            " yourself to the group audio, and log in again."
        )
    return "sound threads may come first"


def _may_be_urgent() -> bool:
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    return os.geteuid() == 0 or allowed >= REAL_TIME_PRIORITY or allowed == resource.RLIM_INFINITY


def _load(preset: str | None, load: Load, loaded: list[LoadedModel]) -> str:
    model = load(ModelOrder(preset), lambda share: None)
    loaded.append(model)
    return f"preset {model.preset} on {model.device}"


def _speed(model: LoadedModel) -> str:
    with open_source(SAMPLE) as source:
        sound = next(iter(read_blocks(source, MEASURED_SECONDS * SAMPLE_RATE_HZ))).mean(axis=1)
    restore_audio(model.restorer, sound[:SAMPLE_RATE_HZ])  # sets up what libraries put off until used
    started = perf_counter()
    restore_audio(model.restorer, sound)
    load = (perf_counter() - started) * SAMPLE_RATE_HZ / len(sound)
    if load >= 1.0:
        raise ProblemError(
            f"Preset {model.preset} needs {load:.1f} times the time there is; choose one with fewer passes,"
            " or end other programs."
        )
    return f"{100 * load:.0f} % of the time there is"
