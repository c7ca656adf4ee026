"""What the system and a session that runs are found to be like, and what to do about what is missing."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile

from model.errors import MaskSRError
from model.translation import N_, _
from realtime.device_info import choose_device
from realtime.devices import alsa_pulse_index, list_devices, portaudio
from realtime.messages import EngineStatus
from realtime.processes import REAL_TIME_PRIORITY
from realtime.session_file import session_path
from realtime.sound_server import sound_server
from realtime.virtual_mic import status

VIRTUAL_MIC_STATES = {"off": N_("off"), "on": N_("on"), "session": N_("session"), "cable": N_("cable")}


class ProblemError(MaskSRError):
    """What is wrong and what to do about it."""


@dataclass(frozen=True)
class Finding:
    """What one check found; when it is not `ok`, `says` tells what to do."""

    name: str
    ok: bool
    says: str


def check(name: str, look: Callable[[], str]) -> Finding:
    """What `look` says of `name`, or the error that it raises."""
    try:
        return Finding(name, True, look())
    except (MaskSRError, OSError) as error:
        return Finding(name, False, str(error))


def check_speed(preset: str | None, load: float) -> str:
    """Raises ProblemError where `load`, the share of the time there is that computing takes, is too much."""
    if load >= 1.0:
        raise ProblemError(
            _(
                "Preset {preset} needs {times:.1f} times the time there is; choose one with fewer passes,"
                " or end other programs.",
                preset=preset,
                times=load,
            )
        )
    return _("{percent:.0f} % of the time there is", percent=100 * load)


def examine_system() -> Iterator[Finding]:
    """Check one thing after the other; a sound server that hangs takes seconds."""
    server = check("sound server", _sound_server)
    yield server
    yield check("PortAudio", lambda: _portaudio(server.ok))
    yield check("microphone", lambda: choose_device(list_devices(), None, "input").description)
    yield check("speaker", lambda: choose_device(list_devices(), None, "output").description)
    yield check("virtual microphone", _virtual_mic)
    yield check("permissions", _permissions)


def examine_session(now: EngineStatus) -> Iterator[Finding]:
    """What a session tells of its model, without loading another one."""
    if now.state in ("running", "dry"):
        yield Finding(
            "model",
            now.state == "running",
            now.message or _("preset {preset} on {device}", preset=now.preset, device=now.device),
        )
    report = now.report
    if now.state == "running" and report is not None and report.hops:
        yield check("speed", lambda: check_speed(now.preset, report.real_time_factor_p95))


def _sound_server() -> str:
    if sys.platform != "linux":
        return _("not needed on this system")
    with sound_server() as server:
        return str(server.server_info().server_name)


def _portaudio(server_answers: bool) -> str:
    if not server_answers:  # PortAudio waits minutes for one that hangs
        raise ProblemError(_("PortAudio needs the sound server; see to that first, then check again."))
    if sys.platform == "linux":
        alsa_pulse_index()
    return str(portaudio().get_portaudio_version()[1]).partition(",")[0]  # without the revision


def _virtual_mic() -> str:
    now = status()
    if now.state == "leftover":
        return _("left by a session that died; the next one removes it")
    if now.is_default:
        raise ProblemError(
            _("It is the system's default microphone; make the one to be restored the default.")
        )
    state = _(VIRTUAL_MIC_STATES[now.state])
    return state if now.microphone is None else f"{now.microphone} ({state})"


def _permissions() -> str:
    folder = session_path().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ProblemError(
            _("{folder} cannot be written ({error}); make it yours.", folder=folder, error=error.strerror)
        ) from error
    if sys.platform != "linux":
        return _("sound threads come first as far as the system has it so")
    if not _may_be_urgent():
        raise ProblemError(
            _(
                "Sound threads may not come first; add `@audio - rtprio 95` to /etc/security/limits.d/"
                "audio.conf, yourself to the group audio, and log in again."
            )
        )
    return _("sound threads may come first")


def _may_be_urgent() -> bool:
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    return os.geteuid() == 0 or allowed >= REAL_TIME_PRIORITY or allowed == resource.RLIM_INFINITY
