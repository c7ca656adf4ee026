"""The connection to the sound server of a Linux desktop: pulsectl's, with two of its mistakes mended.

PipeWire serves the same protocol. Needs libpulse: importing this raises OSError without it.
"""

from collections.abc import Callable
from typing import Any

import pulsectl
from pulsectl._pulsectl import LibPulse

FAILURES = (pulsectl.PulseError, pulsectl.PulseDisconnected, LibPulse.CallError)


class Pulse(pulsectl.Pulse):  # type: ignore[misc]
    """To be used by one thread. Sources and sinks have a `rate_hz` besides what pulsectl tells of them."""

    def listen(self, on_event: Callable[[], None]) -> None:
        """Have `on_event` called, from within other calls, after changes of devices and for new streams."""

        def notice(event: pulsectl.PulseEventInfo) -> None:
            if event.facility in ("sink", "source", "server") or event.t == "new":
                on_event()
                raise pulsectl.PulseLoopStop  # ends event_listen()

        self.event_mask_set("sink", "source", "server", "sink_input", "source_output")
        self.event_callback_set(notice)

    def _pulse_state_cb(self, context: Any, data: Any) -> None:
        """End the wait for the connection when it is there; pulsectl waits for the whole timeout."""
        super()._pulse_state_cb(context, data)
        if self.connected:
            self._loop_stop = True

    def _pulse_info_cb(
        self, kind: type, found: list[Any], done: Any, context: Any, info: Any, *end: Any
    ) -> None:
        """Copy the rate; pulsectl keeps a pointer to where it was."""
        known = len(found)
        super()._pulse_info_cb(kind, found, done, context, info, *end)
        if len(found) > known and hasattr(info[0], "sample_spec"):
            found[-1].rate_hz = info[0].sample_spec.rate
