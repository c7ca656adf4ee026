"""Before and after can be compared: by holding a key, and by listening back to the last seconds."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.listen_page import ListenPage
from model.plan import SAMPLE_RATE_HZ
from realtime.ring import Samples
from tests.desktop import VIRTUAL_MIC, OpenWindow, button, combo_box, loudest_hz, wait_for, wait_for_sound
from tests.pulse_server import PulseServer

pytestmark = pytest.mark.live


def is_pure_tone(sound: Samples, hz: int = 1000) -> bool:
    """Whether the last second has hardly anything else."""
    power = np.abs(np.fft.rfft(sound[-SAMPLE_RATE_HZ:])) ** 2
    return bool(power[hz - 2 : hz + 3].sum() > 0.99 * power.sum() > 0.0)


def test_holding_a_key_lets_the_dry_signal_be_heard(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot
) -> None:
    def goes_out_dry() -> bool:  # random weights make no tone
        return is_pure_tone(pulse.record(VIRTUAL_MIC, 2 * SAMPLE_RATE_HZ))

    with pulse.tone("room", 1000), open_window() as window:
        wait_for_sound(qtbot, window)
        wait_for(qtbot, lambda: not goes_out_dry())
        qtbot.keyPress(window, Qt.Key.Key_F8)
        wait_for(qtbot, goes_out_dry)
        qtbot.keyRelease(window, Qt.Key.Key_F8)
        wait_for(qtbot, lambda: not goes_out_dry())
        assert not window.controller.settings.bypass
        window.close()


def test_the_key_is_seen_released_where_a_menu_keeps_it_to_itself(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    with open_window() as window:
        qtbot.keyPress(window, Qt.Key.Key_F8)
        assert window.controller.hears_dry
        combo_box(window, "Preset").showPopup()
        qtbot.keyRelease(QApplication.activePopupWidget(), Qt.Key.Key_F8)
        wait_for(qtbot, lambda: not window.controller.hears_dry)
        window.close()


def test_the_last_seconds_are_taken_played_and_kept(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot, tmp_path: Path
) -> None:
    with pulse.tone("room", 1000), open_window() as window:
        controller = window.controller
        wait_for(qtbot, lambda: controller.tap is not None and controller.tap.written > 3 * SAMPLE_RATE_HZ)
        button(window, "Take last 10 s").click()
        button(window, "Play before").click()
        assert loudest_hz(pulse.record("speakers.monitor", 2 * SAMPLE_RATE_HZ)) == pytest.approx(
            1000, abs=5
        )  # a busy machine leaves blocks out
        button(window, "Stop").click()
        wait_for(qtbot, button(window, "Play after").isEnabled)
        button(window, "Play after").click()
        assert pulse.record("speakers.monitor", SAMPLE_RATE_HZ).any()
        button(window, "Stop").click()
        window.findChild(ListenPage).save(tmp_path)
        wait_for(qtbot, lambda: len(list(tmp_path.glob("MaskSR Live */*.*"))) == 3)
        window.close()
    (kept,) = tmp_path.glob("MaskSR Live */before.wav")
    assert loudest_hz(soundfile.read(kept, dtype="float32")[0]) == pytest.approx(
        1000, abs=5
    )  # a busy machine leaves blocks out
