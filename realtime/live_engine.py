"""The live engine as the window and the headless commands hold it: settings go in, the status comes out."""

import multiprocessing
from dataclasses import replace
from types import TracebackType
from typing import Self

from realtime.audio_process import run_audio
from realtime.mailbox import Mailbox
from realtime.messages import EngineSettings, EngineStatus
from realtime.model_loader import load_model
from realtime.model_process import Load
from realtime.signal_tap import SignalTap

FAREWELL_SECONDS = 5.0  # for closing the devices
DIED = "The process with the sound devices ended; start the engine again."


class LiveEngine:
    """Restores live sound in processes of its own while the context is open.

    Nothing here waits for them, and nothing that happens here is heard. Sound flows as soon as the devices
    are open, unrestored until the model is loaded. Assign `settings` at any time; what differs is changed.
    `load` makes the restorer in the model's process; it has to be a function of some module.
    """

    def __init__(self, settings: EngineSettings, load: Load = load_model) -> None:
        self.tap = SignalTap()
        self._settings: Mailbox[EngineSettings | None] = Mailbox(settings)
        self._statuses = Mailbox(EngineStatus())
        self._process = multiprocessing.get_context("spawn").Process(
            target=run_audio, args=(load, self._settings, self._statuses, self.tap), name="masksr audio"
        )

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._settings.put(None)
        self._process.join(FAREWELL_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

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
        status = self._statuses.get()
        if self._process.exitcode is not None and status.state != "stopped":
            return replace(status, state="failed", message=DIED)
        return status
