"""A key that is heard among all others.

A process of its own listens: Windows holds every key back until the listener has seen it, so that a busy
window would be felt in all programs, and on macOS pynput may crash in a process that has Qt.
"""

import sys
from pathlib import Path

from PyQt6.QtCore import QProcess

from gui import text
from gui.global_key import GlobalKey
from gui.key_listener import UNTRUSTED
from gui.key_names import pynput_names

PROGRAM = Path(__file__).parents[1]


class HeardKey(GlobalKey):
    """Hears `key`, such as "Ctrl+Alt+B", until `close`; so does the program in front. Raises HotkeyError."""

    def __init__(self, key: str) -> None:
        super().__init__()
        names = pynput_names(key, sys.platform)
        self._listener = QProcess(self)
        self._listener.setWorkingDirectory(str(PROGRAM))
        self._listener.setProcessChannelMode(QProcess.ProcessChannelMode.ForwardedErrorChannel)
        self._listener.readyReadStandardOutput.connect(self._read)
        self._listener.finished.connect(self._tell_end)
        self._listener.start(sys.executable, ["-m", "gui.key_listener", names])

    def close(self) -> None:
        self.blockSignals(True)
        self._listener.kill()
        self._listener.waitForFinished()

    def _read(self) -> None:
        if len(self._listener.readAllStandardOutput()) % 2:
            self.pressed.emit()

    def _tell_end(self, status: int) -> None:
        self.failed.emit(text.HOTKEY_UNTRUSTED if status == UNTRUSTED else text.HOTKEY_LOST)
