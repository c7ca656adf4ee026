"""Keeps a model process going: starts it, and starts another when it ends or hangs."""

import multiprocessing
from multiprocessing.context import SpawnProcess
from time import monotonic
from types import TracebackType
from typing import Self

from model.plan import SAMPLE_RATE_HZ
from model.translation import _
from realtime.continuation import Continuation
from realtime.mailbox import Mailbox
from realtime.mixer import BLOCK_FRAMES
from realtime.model_process import Load, ModelOrder, ModelStatus, ModelWorker
from realtime.ring import SharedRing

RING_SECONDS = 12
HANG_SECONDS = 5.0
FROZEN_SECONDS = 1.0  # without a poll: this process did not run either, as in a machine that slept
KILLED = -9  # by SIGKILL, which Windows does not know by name
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.5, 30.0
HEALTHY_SECONDS = 60.0  # of running make up for what went wrong before


class ModelHost:
    """A model process while the context is open.

    What is written to `noisy`, 44.1 kHz, appears in `restored` at the same positions, and what would follow
    in `continuations`, as `realtime.mixer` has it. Call `poll` several times a second.
    """

    def __init__(self, order: ModelOrder, load: Load) -> None:
        self.noisy, self.restored = (SharedRing(RING_SECONDS * SAMPLE_RATE_HZ) for _ in range(2))
        self.continuations = Mailbox(Continuation())
        self._orders, self._statuses = Mailbox(order), Mailbox(ModelStatus())
        self._worker = ModelWorker(
            load, self._orders, self._statuses, self.noisy, self.restored, self.continuations
        )
        self._context = multiprocessing.get_context("spawn")
        self._failure: str | None = None
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._restart_at = 0.0  # where there is no process
        self._process: SpawnProcess | None = None
        self._started_at = self._restored_at = self._polled_at = 0.0
        self._restored_frames = 0

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()

    @property
    def order(self) -> ModelOrder:
        return self._orders.get()

    @order.setter
    def order(self, order: ModelOrder) -> None:
        if order != self.order:
            self._orders.put(order)

    @property
    def status(self) -> ModelStatus:
        return self._statuses.get()

    @property
    def failure(self) -> str | None:
        """What ended the process before, as long as the newest one does not restore."""
        return None if self.status.hops else self._failure

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    def poll(self) -> None:
        """See that a process runs, after a pause that grows while they keep failing."""
        now = monotonic()
        if self.status.hops:
            self._failure = None
        if self._process is None:
            if now >= self._restart_at:
                self._start()
        elif self._process.exitcode is not None:
            self._fail(now, self._last_words(self._process.exitcode))
        elif self._hangs(now):
            self._kill()
            self._fail(now, _("it did not answer any more"))

    def _start(self) -> None:
        self._statuses.put(ModelStatus())
        self._process = self._context.Process(target=self._worker.run, name="masksr model")
        self._started_at = self._restored_at = self._polled_at = monotonic()
        try:
            self._process.start()
        except OSError as error:  # the system has no room for one
            self._fail(self._started_at, str(error))

    def _fail(self, now: float, reason: str) -> None:
        if now - self._started_at > HEALTHY_SECONDS:
            self._pause_seconds = FIRST_PAUSE_SECONDS
        self._failure, self._restart_at, self._process = reason, now + self._pause_seconds, None
        self._pause_seconds = min(2 * self._pause_seconds, LAST_PAUSE_SECONDS)
        self._statuses.put(ModelStatus())

    def _last_words(self, code: int) -> str:
        if self.status.state == "failed":
            return str(self.status.message)
        if code == KILLED:
            return _("the system ended it, perhaps for want of memory")
        return _("it ended with code {code}", code=code)

    def _hangs(self, now: float) -> bool:
        """Whether sound has been waiting to be restored for long, and nothing happens."""
        was_frozen, self._polled_at = now - self._polled_at > FROZEN_SECONDS, now
        restored_frames = self.restored.written
        is_idle = self.noisy.written - restored_frames < BLOCK_FRAMES
        is_working = restored_frames != self._restored_frames or self.status.state != "running"
        if is_working or is_idle or was_frozen:
            self._restored_frames, self._restored_at = restored_frames, now
        return now - self._restored_at > HANG_SECONDS

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()  # it has nothing to save
            self._process.join()
