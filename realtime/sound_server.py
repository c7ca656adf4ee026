"""The sound server of a Linux desktop, PipeWire or PulseAudio: its devices, and the streams on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from model.translation import N_, _
from realtime.device_info import DeviceError, DeviceInfo, Direction

if TYPE_CHECKING:
    from realtime.pulse import Pulse

OWNER_PROPERTY = "masksr.owner"  # marks on the sound server what this program made
STREAM_PROPERTY = "masksr.stream"
REFUSES = N_("The sound server refuses ({error}); see whether PipeWire or PulseAudio is running.")
SILENT = N_("The sound server does not answer; see whether PipeWire or PulseAudio is running.")


class SoundServerError(DeviceError):
    """The sound server is not there, went away or refuses."""


class SoundServerHangsError(SoundServerError):
    """The sound server is there and does not answer. Whoever asks PortAudio now waits minutes."""


@contextmanager
def sound_server() -> Iterator["Pulse"]:
    """Connects to the running sound server; never starts one.

    Raises SoundServerError, also for what the server refuses within, and SoundServerHangsError.
    """
    try:
        from realtime.pulse import FAILURES, NoAnswerError, Pulse
    except (ImportError, OSError) as error:  # macOS and Windows have neither
        raise SoundServerError(
            _("libpulse is missing; on Debian `apt install libpulse0` brings it.")
        ) from error
    server = Pulse("MaskSR Live", connect=False)
    try:
        server.connect()
        yield server
    except NoAnswerError as error:
        raise SoundServerHangsError(
            _("The sound server does not answer any more; restart PipeWire or PulseAudio.")
        ) from error
    except FAILURES as error:
        raise SoundServerError(_(REFUSES if server.connected else SILENT, error=error)) from error
    finally:
        server.close()


def server_devices(server: "Pulse") -> list[DeviceInfo]:
    """Every source and sink."""
    names, sinks = server.server_info(), server.sink_list()
    sources = {source.name: source for source in server.source_list()}
    ours = {sink.name for sink in sinks if OWNER_PROPERTY in sink.proplist}

    def describe(direction: Direction, node: Any, default: str) -> DeviceInfo:
        hears = _heard_sink(node, sources) if direction == "input" else None
        return DeviceInfo(
            direction,
            node.index,
            node.name,
            node.description,
            names.server_name,
            node.channel_count,
            node.rate_hz,
            is_default=node.name == default,
            is_ours=OWNER_PROPERTY in node.proplist or hears in ours,
            is_monitor=direction == "input" and node.monitor_of_sink_name is not None,
            hears=hears,
            on_server=True,
        )

    return [
        *(describe("input", source, names.default_source_name) for source in sources.values()),
        *(describe("output", sink, names.default_sink_name) for sink in sinks),
    ]


def _heard_sink(source: Any, sources: dict[str, Any]) -> str | None:
    """The sink whose monitor `source` is, or repeats."""
    while source is not None and source.monitor_of_sink_name is None:
        source = sources.get(source.proplist.get("device.master_device"))
    return None if source is None else str(source.monitor_of_sink_name)


def place_stream(stream: str, device: DeviceInfo) -> None:
    """See that the stream opened as `stream`, in the direction of `device`, is there and nowhere else.

    Raises SoundServerError.
    """
    with sound_server() as server:
        if device.direction == "input":
            places = {open_stream: open_stream.source for open_stream in server.source_output_list()}
            move = server.source_output_move
        else:
            places = {open_stream: open_stream.sink for open_stream in server.sink_input_list()}
            move = server.sink_input_move
        for open_stream, place in places.items():
            if open_stream.proplist.get(STREAM_PROPERTY) == stream and place != device.index:
                move(open_stream.index, device.index)
