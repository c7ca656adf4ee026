"""Work that may take a while, kept off the thread that draws the window."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, pyqtSignal, pyqtSlot

from gui import text
from model.errors import MaskSRError

Result = TypeVar("Result")


class Background(QObject):
    """Does one job after another on a thread of its own and tells the window's thread how each ended.

    `is_open` turns false when the end is waited for, so that a long job can stop early.
    """

    failed = pyqtSignal(str)  # one sentence for the user
    _ended = pyqtSignal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="background")
        self._ended.connect(self._tell)
        self.is_open = True

    def run(self, job: Callable[[], Result], then: Callable[[Result], object] = lambda result: None) -> None:
        """Do `job`; then, in the window's thread, call `then` with its result, or emit `failed`."""
        self._executor.submit(job).add_done_callback(partial(self._ended.emit, then))

    def close(self) -> None:
        """Wait for the jobs that were asked for. Nothing is told any more."""
        self.is_open = False
        self._executor.shutdown()

    @pyqtSlot(object, object)
    def _tell(self, then: Callable[[Any], object], ended: "Future[Any]") -> None:
        if not self.is_open:
            return
        try:
            result = ended.result()
        except MaskSRError as error:
            self.failed.emit(str(error))
        except OSError as error:
            self.failed.emit(text.NOT_DONE.format(error=error))
        else:
            then(result)
