"""The connection to the sound server of a Linux desktop: pulsectl's, with two of its mistakes mended.

PipeWire serves the same protocol. Needs libpulse: importing this raises OSError without it.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

import pulsectl
from pulsectl._pulsectl import LibPulse, pa

from realtime.device_info import Direction

ANSWER_SECONDS = 2.0  # a server that hangs is not waited for longer


class NoAnswerError(pulsectl.PulseError):  # type: ignore[misc]
    """The server is there, and hangs."""


FAILURES = (pulsectl.PulseError, pulsectl.PulseDisconnected, LibPulse.CallError)


class Pulse(pulsectl.Pulse):  # type: ignore[misc]
    """To be used by one thread. Sources and sinks have a `rate_hz` besides what pulsectl tells of them."""

    def listen(self, on_event: Callable[[], None], on_gone: Callable[[Direction, int], None]) -> None:
        """Have these called, from within other calls: `on_event` after devices or streams on them changed.

        `on_gone` gets direction and index of a device that has just gone.
        """

        def notice(event: pulsectl.PulseEventInfo) -> None:
            is_device = event.facility in ("sink", "source", "server")
            if is_device and event.t == "remove":
                on_gone("input" if event.facility == "source" else "output", event.index)
            if is_device or event.t != "remove":
                on_event()
                raise pulsectl.PulseLoopStop  # ends event_listen()

        self.event_mask_set("sink", "source", "server", "sink_input", "source_output")
        self.event_callback_set(notice)

    def _pulse_iterate(self, block: bool = True) -> None:
        """Wait for part of an answer, but not for ever as pulsectl does. Raises NoAnswerError."""
        with self._pulse_loop() as loop:
            started = monotonic()
            pa.mainloop_prepare(loop, round(1e6 * ANSWER_SECONDS) if block else 0)
            pa.mainloop_poll(loop)
            pa.mainloop_dispatch(loop)
        if monotonic() - started >= ANSWER_SECONDS:
            raise NoAnswerError("no answer")

    def _pulse_info_cb(
        self, kind: type, found: list[Any], done: Any, context: Any, info: Any, *end: Any
    ) -> None:
        """Copy the rate; pulsectl keeps a pointer to where it was."""
        known = len(found)
        super()._pulse_info_cb(kind, found, done, context, info, *end)
        if len(found) > known and hasattr(info[0], "sample_spec"):
            found[-1].rate_hz = info[0].sample_spec.rate
