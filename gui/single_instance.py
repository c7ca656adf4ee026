"""One window for each user: a second start raises the first."""

import getpass
from types import TracebackType
from typing import Self

from PyQt6.QtCore import QDeadlineTimer, QDir, QLockFile, QObject, pyqtSignal
from PyQt6.QtNetwork import QLocalServer, QLocalSocket

REACH_MS, RETRY_MS = 2000, 100
ENDING_MS = 20_000  # longer than the end of a window takes


def instance_name() -> str:
    """What the instances of this user know each other by."""
    return f"masksr-live-{getpass.getuser()}"


class SingleInstance(QObject):
    """Within the context the first instance holds `name`; `raise_wanted` tells it of every later start.

    A lock decides who is first, so that two instances started at once agree; it ends with its process,
    however that ends. After `leave` the next start is not told any more, but waits to be the first.
    """

    raise_wanted = pyqtSignal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._lock = QLockFile(QDir.temp().filePath(f"{name}.lock"))
        self._lock.setStaleLockTime(0)  # however old: only a dead process loses it
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._take_calls)

    def __enter__(self) -> Self:
        self.is_first = self._becomes_first()
        if self.is_first:
            QLocalServer.removeServer(self._name)  # left by one that died
            self._server.listen(self._name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_first:
            self.leave()
            self._lock.unlock()

    def leave(self) -> None:
        """Be there for nobody any more, as the first instance that is about to end."""
        self._server.close()

    def _becomes_first(self) -> bool:
        """Whether the lock could be had before an instance that has it could be asked to show itself."""
        deadline = QDeadlineTimer(ENDING_MS)
        while not self._lock.tryLock(RETRY_MS):
            if self._lock.error() != QLockFile.LockError.LockFailedError:
                return True  # there is no place for a lock: better two windows than none
            if self._raise_first() or deadline.hasExpired():
                return False
        return True

    def _raise_first(self) -> bool:
        """Ask the first instance to show itself; return whether it could be asked."""
        call = QLocalSocket()
        call.connectToServer(self._name)
        return call.waitForConnected(REACH_MS)

    def _take_calls(self) -> None:
        while (call := self._server.nextPendingConnection()) is not None:
            call.deleteLater()
            self.raise_wanted.emit()
