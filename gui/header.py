"""The top of the window: what happens to the voice now, and the switches that have to be at hand."""

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from gui import text
from gui.parts import caption
from gui.settings import Settings
from gui.state_light import StateLight
from realtime.messages import EngineStatus
from realtime.virtual_mic import heard_as

BYPASS_KEY, MUTE_KEY, HOLD_KEY = "F9", "F10", "F8"
BYPASS_WIDTH, PROGRESS_HEIGHT = 170, 8  # logical pixels
STATES = {
    "running": text.RUNNING,
    "dry": text.DRY,
    "recovering": text.RECOVERING,
    "failed": text.FAILED,
    "stopped": text.STOPPED,
}


class Header(QWidget):
    """Tells the state in a sentence and emits what the user switches."""

    bypass_switched = pyqtSignal(bool)
    mute_switched = pyqtSignal(bool)
    dry_held = pyqtSignal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._state, self._route = QLabel(), caption()
        self._state.setProperty("role", "title")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(PROGRESS_HEIGHT)
        self._progress.setAccessibleName(text.LOADING_PROGRESS)
        self._light = StateLight()
        self._hold = _button(text.HOLD_DRY, text.HOLD_DRY_TIP, HOLD_KEY)
        self._hold.pressed.connect(lambda: self.dry_held.emit(True))
        self._hold.released.connect(lambda: self.dry_held.emit(False))
        self._mute = _switch(text.MUTE, text.MUTE_TIP, MUTE_KEY)
        self._mute.clicked.connect(self.mute_switched)
        self._bypass = _switch(text.BYPASS, text.BYPASS_TIP, BYPASS_KEY)
        self._bypass.setMinimumWidth(BYPASS_WIDTH)
        self._bypass.clicked.connect(self.bypass_switched)
        self._lay_out()

    def _lay_out(self) -> None:
        words = QGridLayout()
        words.setSpacing(2)
        words.setHorizontalSpacing(8)
        words.addWidget(self._light, 0, 0)
        words.addWidget(self._state, 0, 1)
        words.addWidget(self._route, 1, 1)
        words.addWidget(self._progress, 2, 1)
        words.setColumnStretch(1, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(words, 1)
        for button in (self._hold, self._mute, self._bypass):
            row.addWidget(button)

    def show_state(self, status: EngineStatus, settings: Settings, hears_dry: bool) -> None:
        self._state.setText(_sentence(status, settings, hears_dry))
        self._state.setAccessibleName(self._state.text())
        light = "dry" if _is_too_busy(status) else status.state
        self._light.show_state(light, settings.bypass or settings.mute or hears_dry)
        loading = status.state == "loading"
        self._progress.setVisible(loading)
        self._progress.setValue(round(100 * status.progress))
        self._route.setVisible(not loading)
        self._route.setText(_route(status, settings))
        self._bypass.setChecked(settings.bypass)
        self._mute.setChecked(settings.mute)
        self._hold.setDown(hears_dry)


def _sentence(status: EngineStatus, settings: Settings, hears_dry: bool) -> str:
    if status.state == "loading":
        return text.LOADING.format(percent=100 * status.progress)
    if settings.mute and status.state in ("running", "dry"):
        return text.MUTED
    if status.state == "running":
        if settings.bypass:
            return text.BYPASSED
        if hears_dry:
            return text.HEARS_DRY
        if _is_too_busy(status):
            return text.TOO_BUSY
    return STATES[status.state]


def _is_too_busy(status: EngineStatus) -> bool:
    return status.state == "running" and status.passes_wanted > 0 and status.passes_now == 0


def _route(status: EngineStatus, settings: Settings) -> str:
    if status.microphone is None or status.output is None:
        return text.NO_ROUTE
    output = heard_as(status.output) if settings.virtual_mic else status.output
    return text.ROUTE.format(microphone=status.microphone, output=output)


def _button(name: str, tip: str, key: str) -> QPushButton:
    shown_key = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    button = QPushButton(f"{name}\n{shown_key}")
    button.setToolTip(tip.format(key=shown_key))
    button.setAccessibleName(name)
    button.setAccessibleDescription(button.toolTip())
    button.setProperty("role", "switch")
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _switch(name: str, tip: str, key: str) -> QPushButton:
    button = _button(name, tip, key)
    button.setCheckable(True)
    return button
