"""How soon the window and its sound are there, how smoothly it draws meanwhile, and what both cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, time

import numpy as np
import psutil
from PyQt6.QtCore import QEvent, QEventLoop, QObject
from PyQt6.QtWidgets import QApplication

from gui.app import make_application, opened_window
from gui.controller import Controller
from gui.main_window import MainWindow
from gui.settings import SettingsFile
from gui.spectrogram_view import SpectrogramView
from model.errors import MaskSRError
from presets.library import PresetLibrary

START_SECONDS = 30.0
RESTORED_FRAMES = 4_410
SETTLED_HOPS = 20  # restored before anything is measured
EVENTS = QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents


class NotRunningError(MaskSRError):
    """The engine does not run, so there is nothing to measure."""


@dataclass(frozen=True)
class FrameRate:
    """Until the window is shown, there is sound, and restored sound, are the seconds from the launch.

    `window_cpu_share` is of one core and of the window's process alone; the rest is the engine's.
    """

    window_seconds: float
    sound_seconds: float
    restored_seconds: float
    frames_per_second: float
    window_cpu_share: float
    real_time_factor_p95: float
    dropouts: int


def measure_frame_rate(seconds: float) -> FrameRate:
    """Draw a first start's window on the default devices for `seconds`. Raises NotRunningError."""
    application = make_application()
    with TemporaryDirectory() as folder:
        settings_file = SettingsFile(Path(folder) / "settings.json")
        with opened_window(application, settings_file, PresetLibrary(Path(folder))) as window:
            launched = psutil.Process().create_time()
            starts = [time() - launched]
            for is_there in (_has_sound, _has_restored_sound, _is_settled):
                _run(application, START_SECONDS, partial(is_there, window.controller))
                starts.append(time() - launched)
            status = window.controller.status
            if not _is_settled(window.controller):
                raise NotRunningError(status.message or "The engine does not start; run `main.py doctor`.")
            try:
                return _measure(application, window, seconds, starts)
            finally:
                window.quit()


def _has_sound(controller: Controller) -> bool:
    return controller.tap is not None and controller.tap.written > 0


def _has_restored_sound(controller: Controller) -> bool:
    tap = controller.tap
    if tap is None or tap.written < RESTORED_FRAMES:
        return False
    dry, restored = tap.read(tap.written - RESTORED_FRAMES, RESTORED_FRAMES)
    return not np.array_equal(dry, restored)


def _is_settled(controller: Controller) -> bool:
    status = controller.status
    return status.state == "running" and status.report is not None and status.report.hops >= SETTLED_HOPS


def _measure(
    application: QApplication, window: MainWindow, seconds: float, starts: Sequence[float]
) -> FrameRate:
    paints = _Paints(window)
    before = window.controller.status.report
    started, cpu_started = perf_counter(), process_time()
    _run(application, seconds)
    took, cpu_took = perf_counter() - started, process_time() - cpu_started
    after = window.controller.status.report
    assert before is not None and after is not None, "a running engine reports"
    return FrameRate(
        window_seconds=starts[0],
        sound_seconds=starts[1],
        restored_seconds=starts[2],
        frames_per_second=paints.count / took,
        window_cpu_share=cpu_took / took,
        real_time_factor_p95=after.real_time_factor_p95,
        dropouts=after.dropouts - before.dropouts,
    )


def _run(application: QApplication, seconds: float, is_done: Callable[[], bool] = lambda: False) -> None:
    end = perf_counter() + seconds
    while perf_counter() < end and not is_done():
        application.processEvents(EVENTS)


class _Paints(QObject):
    """Counts how often the spectrograms are painted."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.count = 0
        for view in window.findChildren(SpectrogramView):  # only one of them is on the page shown
            view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        self.count += event is not None and event.type() == QEvent.Type.Paint
        return False
