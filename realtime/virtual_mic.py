"""The microphone that call programs choose: made on the sound server of Linux, elsewhere a virtual cable.

On the sound server it is a sink to play into and a source that repeats it, because browsers hide the monitors
of sinks. What belongs to it carries a mark: which process made it, or that it stays.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from model.errors import MaskSRError
from model.plan import SAMPLE_RATE_HZ
from model.translation import _
from realtime.device_info import DeviceInfo, choose_device
from realtime.devices import list_devices
from realtime.processes import identity, is_running
from realtime.sound_server import OWNER_PROPERTY, SoundServerError, sound_server
from realtime.virtual_cable import GUIDES, VirtualCable, find_cable, microphone_of

if TYPE_CHECKING:
    from realtime.pulse import Pulse

MICROPHONE = "MaskSR Live Microphone"
SINK = "MaskSR Live Output"
DRY_SIGNAL = "MaskSR Live Dry Signal"
DRY_LATENCY_MS = 30
MADE_HERE = sys.platform not in GUIDES
FORMAT = f"rate={SAMPLE_RATE_HZ} channels=1 channel_map=mono"
SETTLE_SECONDS = 0.3  # PipeWire chooses its defaults a moment after devices have come
PERSISTENT = "persistent"  # the mark of what outlives its process

Idle = Literal["silence", "dry"]


class VirtualMicError(MaskSRError):
    """There can be no virtual microphone, or it is in use."""


def heard_as(output: str) -> str:
    """What call programs choose to hear what is played to a virtual microphone's end of that description."""
    return MICROPHONE if MADE_HERE else microphone_of(output)


@dataclass(frozen=True)
class VirtualMicStatus:
    """What there is: one that is "on" stays, a session's goes with it, a leftover is of a process that died.

    `idle` is what one that is on gives while no session plays into it.
    """

    state: Literal["off", "on", "session", "leftover", "cable"]
    microphone: str | None = None
    output: str | None = None
    idle: Idle | None = None
    is_default: bool = False


class VirtualMic:
    """The virtual microphone while the context is open.

    What is played to the device `output` is heard by programs that choose `microphone`. One that is on is
    used, without its dry signal meanwhile; else one is made, and removed at the end. It never becomes the
    system's default by itself. Raises VirtualMicError and SoundServerError.
    """

    microphone: str
    output: str

    def __enter__(self) -> Self:
        self.renew()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if MADE_HERE:
            with suppress(SoundServerError):  # what it had went with it
                self._close()

    def renew(self) -> None:
        """Make it again after its sink has gone, as when the sound server restarted; or find the cable.

        Raises VirtualMicError and SoundServerError.
        """
        self._modules: list[int] = []
        if MADE_HERE:
            self.microphone, self.output = MICROPHONE, self._open()
        else:
            cable = _cable()
            self.microphone, self.output = cable.microphone, cable.output.choice

    def _open(self) -> str:
        with sound_server() as server:
            present = _without_leftovers(server)
            if present is None:
                self._modules = _make(server, identity(os.getpid()))
                present = _installed(server)[0]
            else:
                _refuse_if_used(server, present)
                _mute_dry_signal(server, True)
            return str(present.sinks[0].name)

    def _close(self) -> None:
        with sound_server() as server:
            _mute_dry_signal(server, False)
            present = [module for installed in _installed(server) for module in installed.modules]
            for module in reversed(self._modules):
                if module in present:  # a server that was restarted numbers anew
                    server.module_unload(module)


def switch_on(idle: Idle = "silence", microphone: str | None = None) -> None:
    """Have a virtual microphone that stays when this process ends and gives `idle` between sessions.

    The dry signal is that of `microphone`, or of the default one. Raises VirtualMicError and DeviceError.
    """
    if not MADE_HERE:
        _cable()
        if idle == "dry":
            raise VirtualMicError(
                _("A virtual cable gives silence between sessions; leave out the dry signal.")
            )
        return
    source = choose_device(list_devices(), microphone, "input") if idle == "dry" else None
    with sound_server() as server:
        present = _without_leftovers(server)
        if present is None:
            _make(server, PERSISTENT)
            present = _installed(server)[0]
        _refuse_if_used(server, present)
        for loopback in present.loopbacks:
            server.module_unload(loopback.owner_module)
        if source is not None:
            _load_dry_signal(server, source, present.sinks[0].name)


def switch_off() -> None:
    """Remove the virtual microphone that stays, if there is one.

    Raises VirtualMicError and SoundServerError.
    """
    if not MADE_HERE:
        return
    with sound_server() as server:
        present = _without_leftovers(server)
        if present is not None:
            _refuse_if_used(server, present)
            _unload(server, present)


def remove_leftovers() -> None:
    """Remove what sessions that were killed left behind. Raises SoundServerError."""
    if MADE_HERE:
        with sound_server() as server:
            _without_leftovers(server)


def status() -> VirtualMicStatus:
    """What there is, without changing it. Raises SoundServerError."""
    if not MADE_HERE:
        cable = find_cable(list_devices())
        return (
            VirtualMicStatus("cable", cable.microphone, cable.output.description)
            if cable
            else VirtualMicStatus("off")
        )
    with sound_server() as server:
        parts = sorted(_installed(server), key=lambda installed: installed.state == "leftover")
        if not parts:
            return VirtualMicStatus("off")
        installed = parts[0]
        return VirtualMicStatus(
            installed.state,
            MICROPHONE,
            installed.sinks[0].name if installed.sinks else None,
            ("dry" if installed.loopbacks else "silence") if installed.state == "on" else None,
            server.server_info().default_source_name in [source.name for source in installed.sources],
        )


@dataclass(frozen=True)
class _Installed:
    """What carries the mark of one owner on the sound server, as pulsectl describes it."""

    owner: str
    loopbacks: tuple[Any, ...]
    sources: tuple[Any, ...]
    sinks: tuple[Any, ...]

    @property
    def modules(self) -> list[int]:
        """In the order in which to unload them."""
        return [part.owner_module for part in (*self.loopbacks, *self.sources, *self.sinks)]

    @property
    def state(self) -> Literal["on", "session", "leftover"]:
        if not (self.sources and self.sinks):
            return "leftover"
        if self.owner == PERSISTENT:
            return "on"
        return "session" if is_running(self.owner) else "leftover"

    @property
    def process_id(self) -> int:
        return int(self.owner.partition("-")[0])


def _installed(server: "Pulse") -> list[_Installed]:
    sources = [source for source in server.source_list() if source.monitor_of_sink_name is None]
    kinds = (server.sink_input_list(), sources, server.sink_list())
    owners = {part.proplist.get(OWNER_PROPERTY) for parts in kinds for part in parts} - {None}
    return [
        _Installed(
            owner,
            *(tuple(part for part in parts if part.proplist.get(OWNER_PROPERTY) == owner) for parts in kinds),
        )
        for owner in owners
    ]


def _without_leftovers(server: "Pulse") -> _Installed | None:
    """What is installed, after what processes that died left behind has been removed."""
    present = None
    for installed in _installed(server):
        if installed.state == "leftover":
            _unload(server, installed)
        else:
            present = installed
    if present is not None and not _plays_into(server, present):
        _mute_dry_signal(server, False)  # whose session was killed
    return present


def _unload(server: "Pulse", installed: _Installed) -> None:
    for module in installed.modules:
        server.module_unload(module)


def _refuse_if_used(server: "Pulse", installed: _Installed) -> None:
    if installed.state == "session":
        raise VirtualMicError(
            _("Process {process} has the virtual microphone; end it first.", process=installed.process_id)
        )
    if _plays_into(server, installed):
        raise VirtualMicError(_("Something plays into the virtual microphone already; end that first."))


def _plays_into(server: "Pulse", installed: _Installed) -> bool:
    """Whether anything but its dry signal does."""
    sink = installed.sinks[0].index
    return any(
        stream.sink == sink and OWNER_PROPERTY not in stream.proplist for stream in server.sink_input_list()
    )


def _make(server: "Pulse", owner: str) -> list[int]:
    """Load sink and source, all or nothing; return the indices of their modules."""
    with _defaults_kept(server), ExitStack() as undo:
        sink_module = server.module_load(
            "module-null-sink",
            f"sink_name=masksr_live norewinds=1 {FORMAT}"  # which sleeps for 50 ms at most, not for 2 s
            f" sink_properties={_properties('device.description', SINK, owner)}",
        )
        undo.callback(server.module_unload, sink_module)
        sink = next(sink for sink in server.sink_list() if sink.owner_module == sink_module)
        source_module = server.module_load(
            "module-remap-source",
            f"source_name=masksr_live_microphone master={sink.monitor_source_name} master_channel_map=mono"
            f" {FORMAT} source_properties={_properties('device.description', MICROPHONE, owner)}",
        )
        undo.pop_all()
    return [sink_module, source_module]


def _load_dry_signal(server: "Pulse", source: DeviceInfo, sink_name: str) -> None:
    """Moving is forbidden to it, lest it hears the virtual microphone when its own is unplugged.

    A role of its own keeps the server from remembering its being muted for other loopbacks.
    """
    server.module_load(
        "module-loopback",
        f"source={source.name} sink={sink_name} source_dont_move=true sink_dont_move=true"
        f" latency_msec={DRY_LATENCY_MS}"
        f" sink_input_properties={_properties('media.role=masksr-dry media.name', DRY_SIGNAL, PERSISTENT)}",
    )
    _mute_dry_signal(server, False)  # the server may remember that it was muted


def _mute_dry_signal(server: "Pulse", muted: bool) -> None:
    for installed in _installed(server):
        for loopback in installed.loopbacks:
            server.sink_input_mute(loopback.index, muted)


def _properties(naming: str, name: str, owner: str) -> str:
    return f"""'{naming}="{name}" {OWNER_PROPERTY}="{owner}"'"""


@contextmanager
def _defaults_kept(server: "Pulse") -> Iterator[None]:
    """Undo it when the server makes new devices the defaults, as some are set up to."""
    before = server.server_info()
    yield
    sleep(SETTLE_SECONDS)
    after = server.server_info()
    sinks, sources = ({device.name for device in kind} for kind in (server.sink_list(), server.source_list()))
    if before.default_sink_name in sinks - {after.default_sink_name}:
        server.sink_default_set(before.default_sink_name)
    if before.default_source_name in sources - {after.default_source_name}:
        server.source_default_set(before.default_source_name)


def _cable() -> VirtualCable:
    cable = find_cable(list_devices())
    if cable is None:
        raise VirtualMicError(_(GUIDES[sys.platform]))
    return cable
