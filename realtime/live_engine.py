"""The live engine as the window and the headless commands hold it: settings go in, the status comes out."""

import multiprocessing
from contextlib import suppress
from dataclasses import replace
from multiprocessing.context import SpawnProcess
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import Self

from model.translation import N_, _
from realtime.audio_process import run_audio
from realtime.mailbox import Mailbox
from realtime.messages import EngineSettings, EngineStatus, State
from realtime.model_loader import load_model
from realtime.model_process import Load
from realtime.signal_tap import SignalTap

FAREWELL_SECONDS = 5.0  # for closing the devices
HEALTHY_SECONDS = 30.0  # a process that lives for so long is in order
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.25, 4.0  # before it is started again, twice as long each time
ENDED = N_("The process with the sound devices ended; it is being started again.")
DIED = N_("The process with the sound devices ends again and again; start the engine again.")


class LiveEngine:
    """Restores live sound in processes of its own while the context is open.

    Nothing here waits for them, and nothing that happens here is heard. Sound flows as soon as the devices
    are open, unrestored until the model is loaded. Assign `settings` at any time; what differs is changed.
    `load` makes the restorer in the model's process; it has to be a function of some module. A process that
    ends by itself is started again, until it has done so time after time.
    """

    def __init__(self, settings: EngineSettings, load: Load = load_model) -> None:
        self.tap = SignalTap()
        self._settings: Mailbox[EngineSettings | None] = Mailbox(settings)
        self._statuses = Mailbox(EngineStatus())
        self._load = load
        self._outage: tuple[State, str] | None = None
        self._closing = Event()
        self._keeper = Thread(target=self._keep, name="audio process keeper", daemon=True)

    def __enter__(self) -> Self:
        self._process = self._start()
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._settings.put(None)
        self._keeper.join(FAREWELL_SECONDS)
        if self._keeper.is_alive():
            self._process.kill()
            self._keeper.join()

    @property
    def process_id(self) -> int | None:
        """Of the process that has the devices; the model's is its child."""
        return self._process.pid

    @property
    def settings(self) -> EngineSettings:
        """What is wanted."""
        settings = self._settings.get()
        assert settings is not None, "the engine is closed"
        return settings

    @settings.setter
    def settings(self, settings: EngineSettings) -> None:
        if settings != self._settings.get():
            self._settings.put(settings)

    @property
    def status(self) -> EngineStatus:
        """The newest word from the engine."""
        status, outage = self._statuses.get(), self._outage
        return status if outage is None else replace(status, state=outage[0], message=outage[1])

    def _start(self) -> SpawnProcess:
        arguments = (self._load, self._settings, self._statuses, self.tap)
        process = multiprocessing.get_context("spawn").Process(
            target=run_audio, args=arguments, name="masksr audio"
        )
        self._started_at = monotonic()
        process.start()
        return process

    def _keep(self) -> None:
        """Start another process when one ended, until the engine is closed or that is of no use."""
        pause_seconds = FIRST_PAUSE_SECONDS
        while self._outlives_process():
            if monotonic() - self._started_at > HEALTHY_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            if pause_seconds > LAST_PAUSE_SECONDS:
                self._outage = "failed", _(DIED)
                return
            self._outage = "recovering", _(ENDED)
            if self._closing.wait(pause_seconds):
                return
            pause_seconds *= 2
            self._statuses.put(EngineStatus())
            with suppress(OSError):  # the system has no room for one: it is tried again after a longer pause
                self._process, self._outage = self._start(), None

    def _outlives_process(self) -> bool:
        """Wait for the end of the process; whether that was not wanted."""
        self._process.join()
        return not self._closing.is_set()
