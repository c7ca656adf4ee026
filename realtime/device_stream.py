"""One direction of a session: a stream that is kept flowing on the device that is wanted."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

import numpy as np

from model.translation import _
from realtime.device_info import DeviceError, DeviceInfo, Direction, same_place
from realtime.devices import portaudio, portaudio_in_use, routed
from realtime.recovery import Recovery
from realtime.ring import Samples
from realtime.sound_server import SoundServerError, place_stream

BLOCK_SECONDS = 0.01
BUFFER_SECONDS = 0.02  # asked of the system
LONGEST_SECONDS = 2.0  # of delay that a device can be believed to have
TICK_SECONDS = 0.05
CLOSE_SECONDS = 1.0  # a sound server that hangs is not waited for longer

OnBlock = Callable[[Samples, float], None]


def block_frames(rate_hz: int) -> int:
    return round(BLOCK_SECONDS * rate_hz)


class DeviceStream:
    """Is open while the context is, on the device last given to `want`, and opened again whenever that helps.

    `on_block` gets each mono block that is heard, or is to fill each that is played: float32 [frames], with
    the seconds since its first frame was heard, or until it will be. `name` is what the sound server knows
    the stream by, and `purpose` what it remembers it by; `opening` is shared by the streams of a process.
    What is done to the stream is done on a thread of its own, because a sound server that hangs makes it
    wait.
    """

    def __init__(
        self,
        direction: Direction,
        rate_hz: int,
        on_block: OnBlock,
        name: str,
        opening: Lock,
        purpose: str = "session",
    ) -> None:
        self._direction, self._on_block, self._opening = direction, on_block, opening
        self._name, self._purpose = name, purpose
        self._rate_hz, self._block_frames = rate_hz, block_frames(rate_hz)
        self._block: Samples = np.zeros(self._block_frames, np.float32)
        self._silence: Samples = np.zeros(self._block_frames, np.float32)
        self._wanted: DeviceInfo | None = None
        self._recovery, self._in_place = Recovery(), False
        self._opened = ExitStack()  # PortAudio's stream
        self._woken, self._stopping = Event(), Event()
        self._keeper = Thread(target=self._keep, name=f"{direction} keeper", daemon=True)
        self.blocks = self.overruns = 0
        self._absence: str | None = None  # why no device is wanted
        self._failure: str | None = None  # why the one that is wanted does not flow

    @property
    def problem(self) -> str | None:
        """Why no sound flows, for the user."""
        return self._absence if self._wanted is None else self._failure

    @property
    def wanted(self) -> DeviceInfo | None:
        """What was last given to `want`."""
        return self._wanted

    @property
    def device(self) -> DeviceInfo | None:
        """On which the stream is; None while it is on none."""
        return self._recovery.device

    def want(self, device: DeviceInfo | None, problem: str | None = None) -> None:
        """Be on `device` from now on; `problem` says why where it is None. Never blocks.

        To be called after every event of the sound server. What it hears or plays on another device meanwhile
        is silence.
        """
        self._in_place = device is not None and same_place(device, self.device)
        self._absence, self._wanted = problem, device
        self._woken.set()

    def has_gone(self, index: int) -> None:
        """The device with this index has gone: the server is putting what was on it elsewhere."""
        device = self.device
        if device is not None and device.index == index:
            self._in_place = False

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._woken.set()
        self._keeper.join(CLOSE_SECONDS)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            disturbed = self._woken.wait(TICK_SECONDS)
            self._woken.clear()
            wanted = self._wanted
            match self._recovery.decide(_now(), wanted, self.blocks, disturbed):
                case "open" if wanted is not None:
                    self._open(wanted)
                case "move" if wanted is not None:
                    self._move(wanted)
                case "close":
                    if wanted is not None:
                        self._failure = _(
                            "{device} has stopped; it is being opened again.", device=wanted.description
                        )
                    self._close()
        self._close()

    def _open(self, device: DeviceInfo) -> None:
        try:
            sounddevice = self._opened.enter_context(portaudio_in_use())
        except DeviceError as error:
            self._fail(str(error))
            return
        try:
            with self._opening, routed(device, self._name, self._purpose) as index:
                stream = self._opened.enter_context(closing(self._make_stream(index, device)))
            stream.start()
        except (DeviceError, sounddevice.PortAudioError) as error:
            self._fail(
                _(
                    "{device} cannot be opened ({error}); choose another device.",
                    device=device.description,
                    error=error,
                )
            )
            return
        self._recovery.opened(_now(), device)
        self._settle_on(device)
        self._woken.set()  # the server may have put it elsewhere

    def _move(self, device: DeviceInfo) -> None:
        try:
            place_stream(self._name, device)
        except SoundServerError as error:
            self._fail(str(error))
        else:
            self._settle_on(device)

    def _settle_on(self, device: DeviceInfo) -> None:
        self._failure, self._in_place = None, same_place(device, self._wanted)

    def _fail(self, problem: str) -> None:
        self._failure = problem
        self._close()
        self._recovery.failed(_now())

    def _close(self) -> None:
        self._in_place = False
        self._opened.close()

    def _make_stream(self, index: int, device: DeviceInfo) -> Any:
        if self._direction == "input":
            kind, callback, channels = portaudio().InputStream, self._on_input, 1
        else:
            kind, callback, channels = portaudio().OutputStream, self._on_output, min(2, device.channels)
        return kind(
            device=index,
            channels=channels,
            samplerate=self._rate_hz,
            blocksize=self._block_frames,
            latency=BUFFER_SECONDS,
            dtype="float32",
            callback=callback,
        )

    def _on_input(self, block: Samples, frames: int, time: Any, status: Any) -> None:
        self.blocks += 1
        self.overruns += bool(status)
        heard = block[:, 0] if self._in_place else self._silence
        self._on_block(heard, _believable(time.currentTime - time.inputBufferAdcTime))

    def _on_output(self, block: Samples, frames: int, time: Any, status: Any) -> None:
        self.blocks += 1
        self.overruns += bool(status)
        self._on_block(self._block, _believable(time.outputBufferDacTime - time.currentTime))
        block[:] = self._block[:, np.newaxis] if self._in_place else 0.0


def _believable(seconds: float) -> float:
    """What PortAudio says of a delay where it can be true: some systems leave it out or forget a block."""
    return max(seconds, BLOCK_SECONDS) if 0.0 < seconds <= LONGEST_SECONDS else BUFFER_SECONDS


def _now() -> float:
    """Seconds on a clock that goes on while the machine sleeps, and that nobody sets."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()  # of Windows; a Mac's stands still meanwhile
