"""The window's model: what the user chose, what the engine does, and what there is to choose from."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from gui import text
from gui.background import Background
from gui.device_feed import DeviceFeed
from gui.settings import Settings, SettingsFile
from presets.library import PresetEntry, PresetLibrary, Shelf
from presets.preset import Preset
from realtime.device_info import DeviceError, DeviceInfo, Direction, choose_device
from realtime.device_pair import found
from realtime.device_watcher import DeviceWatcher
from realtime.feedback import refuse_feedback
from realtime.live_engine import LiveEngine
from realtime.messages import EngineSettings, EngineStatus, Parameters
from realtime.signal_tap import SignalTap

STATUS_MS = 100
SAVE_MS = 500  # after the last change

PresetChange = Callable[[PresetLibrary], str | None]  # returns a choice


class Controller(QObject):
    """Runs the engine while the context is open, with the settings that the window changes.

    Signals say that the property of that name changed; `failed` carries a sentence for the user.
    """

    settings_changed = pyqtSignal()
    status_changed = pyqtSignal()
    devices_changed = pyqtSignal()
    shelf_changed = pyqtSignal()
    preset_renamed = pyqtSignal(str, str)  # from one choice to another
    failed = pyqtSignal(str)

    def __init__(self, settings_file: SettingsFile, library: PresetLibrary) -> None:
        super().__init__()
        self._file, self._library = settings_file, library
        self.settings, self.start_problem = settings_file.load()
        self.status = EngineStatus()
        self.devices: list[DeviceInfo] = []
        self.shelf: Shelf = library.shelf()
        self.hears_dry = False
        self.background = Background()
        self._feed = DeviceFeed()
        self._microphone: DeviceInfo | None = None
        self._tells_devices = False
        self._engine: LiveEngine | None = None
        self._running = ExitStack()
        self._polling, self._saving = QTimer(self), QTimer(self)
        self._polling.setInterval(STATUS_MS)
        self._saving.setInterval(SAVE_MS)
        self._saving.setSingleShot(True)

    def __enter__(self) -> Self:
        self._forget_lost_preset()
        self.background.failed.connect(self.failed)
        self._feed.failed.connect(self.failed)
        self._feed.changed.connect(self._take_devices)
        self._polling.timeout.connect(self._take_status)
        self._saving.timeout.connect(self._save)
        self._start_engine()
        self._feed.start()
        self._polling.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._polling.stop()
        self._saving.stop()
        self._save()
        parts = (self._feed, self.background, self._running)
        with ThreadPoolExecutor(len(parts)) as ending:  # at once, as each waits for a server that hangs
            list(ending.map(lambda part: part.close(), parts))

    @property
    def tap(self) -> SignalTap | None:
        """Both signals of the last seconds; None while the engine is being restarted."""
        return None if self._engine is None else self._engine.tap

    @property
    def can_restart(self) -> bool:
        """Whether the engine has ended and is not being started."""
        return self.status.state in ("failed", "stopped")

    def restart(self) -> None:
        """Start the engine anew after it failed."""
        if not self.can_restart:
            return
        old, self._running, self._engine = self._running, ExitStack(), None
        self._polling.stop()
        self.status = EngineStatus()
        self.status_changed.emit()
        self.background.run(old.close, self._start_again)

    # Choices.

    def change(self, **changes: object) -> None:
        """Take over new values of settings, in the engine as well, and remember them."""
        settings = self.settings.model_copy(update=changes)
        if settings != self.settings:
            self.settings = settings
            self._saving.start()
            self._tell_engine()
        self.settings_changed.emit()

    def choose_microphone(self, choice: str | None) -> None:
        """None means the system's default, here as for the other devices."""
        self._route(microphone=choice)
        self._follow_microphone()

    def choose_output(self, choice: str | None) -> None:
        """Where the restored sound goes while there is no virtual microphone."""
        self._route(output=choice)

    def choose_monitor(self, choice: str | None) -> None:
        """One more device that plays the restored sound. None means that nobody listens."""
        self._route(monitor=choice)

    def use_virtual_mic(self, on: bool) -> None:
        self._route(virtual_mic=on)

    def choose_preset(self, choice: str | None) -> None:
        """Take a preset with its own passes and look-ahead, and remember it for the microphone in use."""
        remembered = dict(self.settings.preset_by_microphone)
        if self._microphone is not None:
            remembered[self._microphone.choice] = choice
        self.change(preset=choice, passes=None, lookahead_frames=None, preset_by_microphone=remembered)

    def choose_passes(self, passes: int) -> None:
        own = self.preset is not None and passes == self.preset.passes
        self.change(passes=None if own else passes)

    def choose_lookahead(self, frames: int) -> None:
        own = self.preset is not None and frames == self.preset.lookahead_frames
        self.change(lookahead_frames=None if own else frames)

    def toggle_bypass(self) -> None:
        self.change(bypass=not self.settings.bypass)

    def toggle_mute(self) -> None:
        self.change(mute=not self.settings.mute)

    @property
    def listening_device(self) -> DeviceInfo | None:
        """Where to play what the user wants to hear back; never what calls hear."""
        device = self._device(self.settings.monitor, "output")
        return None if device is None or device.is_ours else device

    def hear_dry(self, on: bool) -> None:
        """For comparing: the dry signal as long as this is on, without it being remembered."""
        if on != self.hears_dry:
            self.hears_dry = on
            self._tell_engine()
            self.settings_changed.emit()

    # Presets.

    @property
    def entry(self) -> PresetEntry | None:
        """The preset chosen, or the one in use where that is left to the program; None until it is known."""
        choice = self.settings.preset or self.status.preset
        return next((entry for entry in self.shelf.entries if entry.choice == choice), None)

    @property
    def preset(self) -> Preset | None:
        return None if self.entry is None else self.entry.preset

    @property
    def preset_titles(self) -> dict[str | None, str]:
        """Every choice of a preset by its title, None being the one that is left to the program."""
        measured = text.PRESET_MEASURED
        if self.settings.preset is None and self.preset is not None:
            measured = text.PRESET_MEASURED_NAMED.format(title=self.preset.title)
        return {None: measured} | {entry.choice: entry.preset.title for entry in self.shelf.entries}

    def change_presets(self, change: PresetChange) -> None:
        """Let `change` work on the library, on another thread, and choose the preset that it returns."""
        self._change_presets(change, self.choose_preset)

    def rename_preset(self, choice: str, title: str) -> None:
        """Give one of the user's own another title; all that was chosen with it or about it stays chosen."""

        def take(new: str | None) -> None:
            chosen, remembered = self.settings.preset, self.settings.preset_by_microphone.items()
            self.preset_renamed.emit(choice, new)
            self.change(
                preset=new if chosen == choice else chosen,
                preset_by_microphone={name: new if each == choice else each for name, each in remembered},
            )

        self._change_presets(lambda library: library.rename(choice, title), take)

    def save_preset(self, title: str) -> None:
        """Keep the preset in use, with the passes and the look-ahead chosen, as one of the user's own."""
        if self.preset is not None:
            chosen = {"passes": self.settings.passes, "lookahead_frames": self.settings.lookahead_frames}
            changes = {name: value for name, value in chosen.items() if value is not None}
            preset = self.preset.model_copy(update=changes)
            self.change_presets(lambda library: library.save(preset, title))

    def export_preset(self, choice: str, target: Path) -> None:
        self.background.run(lambda: self._library.export(choice, target))

    def _change_presets(self, change: PresetChange, then: Callable[[str | None], None]) -> None:
        def job() -> tuple[str | None, Shelf]:
            return change(self._library), self._library.shelf()

        def take(result: tuple[str | None, Shelf]) -> None:
            known = self.shelf.problems
            choice, self.shelf = result
            then(choice)
            self.shelf_changed.emit()
            if problems := [problem for problem in self.shelf.problems if problem not in known]:
                self.failed.emit("\n".join(problems))

        self.background.run(job, take)

    # What goes on.

    def _engine_settings(self) -> EngineSettings:
        chosen = self.settings
        parameters = Parameters(chosen.dry_wet, chosen.bypass or self.hears_dry, chosen.mute)
        settings = EngineSettings(
            microphone=chosen.microphone,
            output=chosen.output,
            virtual_mic=chosen.virtual_mic,
            monitor=chosen.monitor,
            preset=chosen.preset,
            passes=chosen.passes,
            lookahead_frames=chosen.lookahead_frames,
            parameters=parameters,
        )
        return replace(settings, found=found(settings, self.devices)) if self._tells_devices else settings

    def _tell_engine(self) -> None:
        if self._engine is not None:
            self._engine.settings = self._engine_settings()

    def _start_engine(self) -> None:
        try:
            self._engine = self._running.enter_context(LiveEngine(self._engine_settings()))
        except OSError as error:  # the system has no room for its process
            self.status = EngineStatus("failed", message=text.NOT_STARTED.format(error=error))
            self.status_changed.emit()

    def _start_again(self, ended: None) -> None:
        self._start_engine()
        self._polling.start()

    def _take_status(self) -> None:
        status = self.status if self._engine is None else self._engine.status
        if status != self.status:
            self.status = status
            self.status_changed.emit()

    def _take_devices(self, devices: list[DeviceInfo]) -> None:
        self.devices = devices
        self._tells_devices = not DeviceWatcher.is_told
        self._tell_engine()
        self.devices_changed.emit()
        self._follow_microphone()

    def _route(self, **changes: object) -> None:
        """Change where sound comes from and goes to, unless that makes a loop."""
        try:
            self._refuse_feedback(self.settings.model_copy(update=changes))
        except DeviceError as error:
            self.failed.emit(str(error))
            self.settings_changed.emit()
        else:
            self.change(**changes)

    def _refuse_feedback(self, settings: Settings) -> None:
        heard = self._device(settings.microphone, "input")
        listeners = [] if settings.monitor is None else [settings.monitor]
        for choice in listeners if settings.virtual_mic else [settings.output, *listeners]:
            played = self._device(choice, "output")
            if heard is not None and played is not None:
                refuse_feedback(heard, played)

    def _device(self, choice: str | None, direction: Direction) -> DeviceInfo | None:
        """None when it is not there; the engine says so and waits for it."""
        try:
            return choose_device(self.devices, choice, direction)
        except DeviceError:
            return None

    def _follow_microphone(self) -> None:
        """Take the preset that was chosen when this microphone was last in use."""
        microphone = self._device(self.settings.microphone, "input")
        if microphone is None or microphone == self._microphone:
            return
        self._microphone = microphone
        chosen = self.settings.preset
        remembered = self.settings.preset_by_microphone.get(microphone.choice, chosen)
        if remembered != chosen and remembered in self.preset_titles:  # it may have been deleted since
            self.choose_preset(remembered)

    def _forget_lost_preset(self) -> None:
        if self.settings.preset is not None and self.entry is None:
            self.settings = self.settings.model_copy(update={"preset": None})

    def _save(self) -> None:
        settings = self.settings
        self.background.run(lambda: self._file.save(settings))
