"""Listening back: the last seconds before and after, to compare and to keep."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QLabel, QStackedLayout, QVBoxLayout, QWidget

from gui import text
from gui.controller import Controller
from gui.parts import Card, button, caption, row
from gui.player import Player
from gui.spectrogram_view import SpectrogramView
from realtime.comparison import Comparison

SECONDS = 10
FOLDER_NAME = "MaskSR Live %Y-%m-%d %H.%M.%S"


class ListenPage(QWidget):
    """Takes both signals from the tap, shows and plays them, and saves them with a picture."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._taken: Comparison | None = None
        self._player = Player()
        self._player.ended.connect(lambda: self._show_playing(False))
        self._player.failed.connect(controller.failed)
        self._note = caption()
        self._picture = SpectrogramView()
        self._take = button(text.LISTEN_TAKE.format(seconds=SECONDS), self._take_both, "primary")
        self._dry = button(text.LISTEN_DRY, lambda: self._play("dry"))
        self._restored = button(text.LISTEN_RESTORED, lambda: self._play("restored"))
        self._stop = button(text.LISTEN_STOP, self._player.stop)
        self._save = button(text.LISTEN_SAVE, self._ask_where_to)
        self._lay_out()
        self._show_playing(False)

    def close_player(self) -> None:
        """Stop playing, before the window goes."""
        self._player.close()

    def _lay_out(self) -> None:
        empty = QLabel(text.LISTEN_INTRO.format(seconds=SECONDS))
        empty.setProperty("role", "empty")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        taken = Card()
        taken.column.addWidget(self._note)
        taken.column.addWidget(self._picture, 1)
        self._pages = QStackedLayout()
        self._pages.addWidget(empty)
        self._pages.addWidget(taken)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(row(self._take, self._dry, self._restored, self._stop, self._save, None))
        column.addLayout(self._pages, 1)

    def _take_both(self) -> None:
        tap = self._controller.tap
        frames = 0 if tap is None else min(tap.written, SECONDS * tap.sample_rate_hz)
        if tap is None or not frames:
            self._controller.failed.emit(text.LISTEN_EMPTY)
            return
        dry, restored = tap.read(tap.written - frames, frames)
        self._taken = Comparison(dry, restored, tap.sample_rate_hz)
        self._note.setText(text.listen_taken(self._taken.seconds))
        self._picture.start(tap.sample_rate_hz)
        self._picture.push(self._taken.dry, self._taken.restored)
        self._pages.setCurrentIndex(1)
        self._show_playing(False)

    def _play(self, which: Literal["dry", "restored"]) -> None:
        device = self._controller.listening_device
        if device is None:
            self._controller.failed.emit(text.LISTEN_NOWHERE)
        elif self._taken is not None:
            sound = self._taken.dry if which == "dry" else self._taken.restored
            self._player.start(sound, self._taken.sample_rate_hz, device)
            self._show_playing(True)

    def _show_playing(self, playing: bool) -> None:
        self._stop.setEnabled(playing)
        for play in (self._dry, self._restored):
            play.setEnabled(self._taken is not None and not playing)
        self._save.setEnabled(self._taken is not None)
        self._take.setEnabled(not playing)

    def _ask_where_to(self) -> None:
        dialog = QFileDialog(self, text.LISTEN_FOLDER)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save(Path(path)))
        dialog.open()

    def save(self, place: Path) -> None:
        """Save both sounds and the picture in a new folder at `place`."""
        taken, folder = self._taken, place / datetime.now().strftime(FOLDER_NAME)
        if taken is not None:
            self._controller.background.run(
                lambda: taken.save(folder),
                lambda saved: self._note.setText(text.LISTEN_SAVED.format(folder=folder)),
            )
