"""What to do with a stream so that sound flows through it: decisions alone, no sound is touched."""

from math import inf
from typing import Literal

from realtime.device_info import DeviceInfo, same_place

DEBOUNCE_SECONDS = 0.1  # a device that comes brings others along
STALL_SECONDS = 2.5  # longer without a block than any device takes to begin: null sinks sleep for 2 s
SLEEP_SECONDS = 2.0  # unasked for longer: the machine was suspended
SETTLED_SECONDS = 5.0  # a stream that flowed for so long is in order
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.25, 4.0

Action = Literal["keep", "open", "move", "close"]


class Recovery:
    """Decides for one stream, and never gives up.

    The stream belongs on the device that is wanted. From another it is moved, or closed where there is no
    sound server to move it; with no device wanted it is closed at once, lest the server puts it on any. One
    that stalls, or that slept with the machine, is closed and opened anew. Failures are waited after, each
    time twice as long, until another device is wanted or a stream settles. Times are seconds of a clock that
    goes on while the machine sleeps.
    """

    def __init__(self) -> None:
        self.device: DeviceInfo | None = None  # on which the stream is, or is to be after the action
        self._wanted: DeviceInfo | None = None
        self._blocks, self._retry_seconds = 0, FIRST_RETRY_SECONDS
        self._asked_at, self._opened_at, self._flowed_at, self._open_from = inf, 0.0, 0.0, -inf

    def decide(self, now: float, wanted: DeviceInfo | None, blocks: int, disturbed: bool) -> Action:
        """What to do now; asked several times a second. `opened` or `failed` is to follow "open".

        Args:
            blocks: how many the stream has carried so far.
            disturbed: whether the sound server may have moved the stream.
        """
        slept, self._asked_at = now - self._asked_at > SLEEP_SECONDS, now
        if not same_place(wanted, self._wanted):
            self._retry_seconds, self._open_from = FIRST_RETRY_SECONDS, now + DEBOUNCE_SECONDS
        self._wanted = wanted
        if self.device is None:
            return "open" if wanted is not None and now >= self._open_from else "keep"
        if wanted is None or slept:
            return self._close()
        if self._is_stalled(now, blocks):
            self.failed(now)
            return "close"
        return self._follow(wanted, disturbed)

    def opened(self, now: float, device: DeviceInfo) -> None:
        """The stream was opened on `device`."""
        self.device = device
        self._asked_at = self._opened_at = self._flowed_at = now

    def failed(self, now: float) -> None:
        """The stream could not be opened or moved, and is closed."""
        self.device, self._asked_at = None, now
        self._open_from = now + self._retry_seconds
        self._retry_seconds = min(2 * self._retry_seconds, LAST_RETRY_SECONDS)

    def _is_stalled(self, now: float, blocks: int) -> bool:
        if blocks != self._blocks:
            self._blocks, self._flowed_at = blocks, now
            if now - self._opened_at >= SETTLED_SECONDS:
                self._retry_seconds = FIRST_RETRY_SECONDS
        return now - self._flowed_at > STALL_SECONDS

    def _follow(self, wanted: DeviceInfo, disturbed: bool) -> Action:
        moved = not same_place(wanted, self.device)
        if not (moved or (disturbed and wanted.on_server)):
            return "keep"
        if self.device is not None and self.device.on_server and wanted.on_server:
            self.device = wanted
            return "move"
        return self._close()

    def _close(self) -> Action:
        self.device = None
        return "close"
