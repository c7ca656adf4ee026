"""The window: puts its parts together and keeps them current."""

from PyQt6.QtCore import QByteArray, QEvent, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PyQt6.QtWidgets import QHBoxLayout, QMainWindow, QMenu, QTabWidget, QVBoxLayout, QWidget

from gui import text
from gui.banner import Banner
from gui.controller import Controller
from gui.file_page import FilePage
from gui.header import BYPASS_KEY, HOLD_KEY, MUTE_KEY, Header
from gui.health_page import HealthPage
from gui.held_keys import HeldKeys
from gui.latency_bar import LatencyBar
from gui.listen_page import ListenPage
from gui.live_page import LivePage
from gui.parts import Card
from gui.preset_panel import PresetPanel
from gui.settings_page import SettingsPage
from gui.side_panel import SidePanel
from gui.sound_panel import SoundPanel
from gui.status_strip import StatusStrip
from gui.theme import Theme
from gui.tray import Tray

SIZE = (1120, 720)  # logical pixels, at the first start
FRAME_MS = 30  # between two pictures: 33 a second


class MainWindow(QMainWindow):
    """Everything that can be seen. Closing it ends what it started; the engine belongs to the controller."""

    closed = pyqtSignal()

    def __init__(self, controller: Controller, theme: Theme) -> None:
        super().__init__()
        self.controller = controller
        self._shown_presets: tuple[str | None, dict[str | None, str]] | None = None
        self._quitting = False
        self.setWindowTitle(text.APP)
        self.resize(*SIZE)
        self.setAcceptDrops(True)
        self._header, self._banner = Header(), Banner()
        self._sound, self._presets = SoundPanel(), PresetPanel(controller)
        self._live, self._listen = LivePage(), ListenPage(controller)
        self._files, self._settings = FilePage(controller.background), SettingsPage(controller, theme)
        self._health = HealthPage(controller)
        self._latency, self._figures = LatencyBar(), StatusStrip()
        self._pages = QTabWidget()
        self._lay_out()
        self._make_menus()
        self._tray = Tray(self)
        self._held_keys = HeldKeys(QKeySequence(HOLD_KEY)[0].key())
        self._connect()
        self._restore_place()
        self._frames = QTimer(self)
        self._frames.setTimerType(Qt.TimerType.PreciseTimer)
        self._frames.timeout.connect(self._draw)
        self._frames.start(FRAME_MS)

    # Set-up.

    def _lay_out(self) -> None:
        for page, name in (
            (self._live, text.LIVE_PAGE),
            (self._listen, text.LISTEN_PAGE),
            (self._files, text.FILES_PAGE),
            (self._health, text.HEALTH_PAGE),
            (self._settings, text.SETTINGS_PAGE),
        ):
            self._pages.addTab(page, name)
        body = QHBoxLayout()
        body.setSpacing(12)
        body.addWidget(SidePanel(self._sound, self._presets))
        body.addWidget(self._pages, 1)
        foot, figures = Card(), QHBoxLayout()
        figures.setSpacing(20)
        figures.addWidget(self._latency, 1)
        figures.addWidget(self._figures)
        foot.column.addLayout(figures)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(10)
        column.addWidget(self._header)
        column.addWidget(self._banner)
        column.addLayout(body, 1)
        column.addWidget(foot)
        self.setCentralWidget(centre)
        centre.setFocus()

    def _make_menus(self) -> None:
        menus = self.menuBar()
        assert menus is not None
        file, sound = QMenu(text.FILE_MENU, self), QMenu(text.SOUND_MENU, self)
        menus.addMenu(file)
        menus.addMenu(sound)
        _add(file, text.RESTORE_FILES, QKeySequence.StandardKey.Open).triggered.connect(self._pick_files)
        _add(file, text.QUIT, QKeySequence.StandardKey.Quit).triggered.connect(self.quit)
        self._bypass = _add(sound, text.BYPASS, BYPASS_KEY, checkable=True)
        self._bypass.triggered.connect(self.controller.toggle_bypass)
        self._mute = _add(sound, text.MUTE, MUTE_KEY, checkable=True)
        self._mute.triggered.connect(self.controller.toggle_mute)

    def _connect(self) -> None:
        controller = self.controller
        self._header.bypass_switched.connect(lambda on: controller.change(bypass=on))
        self._header.mute_switched.connect(lambda on: controller.change(mute=on))
        self._header.dry_held.connect(controller.hear_dry)
        self._held_keys.released.connect(lambda: controller.hear_dry(False))
        self._banner.restart_wanted.connect(controller.restart)
        self._sound.microphone_chosen.connect(controller.choose_microphone)
        self._sound.output_chosen.connect(controller.choose_output)
        self._sound.monitor_chosen.connect(controller.choose_monitor)
        self._sound.virtual_mic_switched.connect(controller.use_virtual_mic)
        controller.failed.connect(self._banner.show_problem)
        controller.preset_renamed.connect(self._files.rename_preset)
        controller.status_changed.connect(self._show_status)
        controller.settings_changed.connect(self._show_settings)
        controller.devices_changed.connect(self._show_settings)
        for changed in (controller.settings_changed, controller.status_changed, controller.shelf_changed):
            changed.connect(self._show_presets)
        self._tray.show_wanted.connect(self.raise_up)
        self._tray.bypass_switched.connect(lambda on: controller.change(bypass=on))
        self._tray.mute_switched.connect(lambda on: controller.change(mute=on))
        self._tray.preset_chosen.connect(controller.choose_preset)
        self._tray.quit_wanted.connect(self.quit)
        if QGuiApplication.platformName() != "offscreen":
            self._tray.show()  # once there is a tray, which after a login may be later
        self._pages.currentChanged.connect(lambda page: controller.change(page=page))
        self._show_settings()
        self._show_presets()
        problems = filter(None, (controller.start_problem, *controller.shelf.problems))
        self._banner.show_problem("\n".join(problems))

    def _restore_place(self) -> None:
        settings = self.controller.settings
        self.restoreGeometry(QByteArray.fromHex(settings.geometry.encode()))
        self._pages.setCurrentIndex(min(settings.page, self._pages.count() - 1))

    # What changes.

    def _show_settings(self) -> None:
        controller = self.controller
        self._sound.show_devices(controller.devices, controller.settings)
        self._bypass.setChecked(controller.settings.bypass)
        self._mute.setChecked(controller.settings.mute)
        self._tray.set_switches(controller.settings.bypass, controller.settings.mute)
        self._show_status()

    def _show_status(self) -> None:
        controller, status = self.controller, self.controller.status
        self._header.show_state(status, controller.settings, controller.hears_dry)
        self._banner.show_message(status.message, controller.can_restart)
        self._sound.show_state(status, controller.settings)
        self._figures.set_status(status)
        self._latency.set_budget(None if status.report is None else status.report.latency)

    def _show_presets(self) -> None:
        """In the tray and on the page of files; the panel of presets does so by itself."""
        chosen, titles = self.controller.settings.preset, self.controller.preset_titles
        if (chosen, titles) != self._shown_presets:
            self._shown_presets = (chosen, titles)
            self._tray.set_presets(titles, chosen)
            self._files.set_presets({choice: title for choice, title in titles.items() if choice is not None})

    def _draw(self) -> None:
        if self._live.isVisible() and self.controller.tap is not None:
            self._live.draw(self.controller.tap)

    # What the user does.

    def raise_up(self) -> None:
        """Come back from the tray, from the task bar or from behind other windows."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def _pick_files(self) -> None:
        self._pages.setCurrentWidget(self._files)
        self._files.pick()

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        self._files.dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent | None) -> None:
        self._pages.setCurrentWidget(self._files)
        self._files.dropEvent(event)

    def quit(self) -> None:
        """Close, also where closing would leave the program in the tray."""
        self._quitting = True
        self.close()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() == QKeySequence(HOLD_KEY)[0].key():
            self.controller.hear_dry(True)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.controller.hear_dry(False)  # the release of the key goes to another program

    def closeEvent(self, event: QCloseEvent | None) -> None:
        stays = self.controller.settings.close_to_tray and Tray.isSystemTrayAvailable()
        if stays and not self._quitting:
            self.hide()
            if event is not None:
                event.ignore()
            return
        self._frames.stop()
        self._held_keys.close()
        self._tray.hide()
        self._listen.close_player()
        self._files.close_queue()
        self._settings.release_key()
        geometry = bytes(self.saveGeometry().toHex().data()).decode()
        self.controller.change(geometry=geometry)
        super().closeEvent(event)
        self.closed.emit()


def _add(menu: QMenu, name: str, key: str | QKeySequence.StandardKey, checkable: bool = False) -> QAction:
    action = QAction(name, menu)
    action.setCheckable(checkable)
    action.setShortcut(QKeySequence(key))
    menu.addAction(action)
    return action
