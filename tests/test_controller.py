"""What the window does when devices, presets and the engine change, with the real ones of each."""

from multiprocessing import active_children
from pathlib import Path
from threading import enumerate as enumerate_threads
from time import monotonic

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui import text
from gui.header import Header
from model.plan import SAMPLE_RATE_HZ
from realtime.live_engine import LiveEngine
from realtime.sound_server import sound_server
from tests.desktop import (
    VIRTUAL_MIC,
    OpenWindow,
    button,
    combo_box,
    loudest_hz,
    told,
    wait_for,
    wait_for_sound,
)
from tests.pulse_server import PulseServer

pytestmark = pytest.mark.live

LONGEST_END_SECONDS = 15.0  # on a busy machine, of what takes 5 s
USB_MIC = "source_name=usb_mic master=room.monitor source_properties=\"device.description='USB Microphone'\""


def test_a_microphone_that_is_unplugged_is_told_awaited_and_heard_again(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot
) -> None:
    with pulse.tone("room", 1000), open_window() as window, sound_server() as server:
        controller, header = window.controller, window.findChild(Header)
        usb = server.module_load("module-remap-source", USB_MIC)
        picker = combo_box(window, "Microphone")
        wait_for(qtbot, lambda: picker.findData("usb_mic") >= 0)
        controller.choose_microphone("usb_mic")
        controller.change(bypass=True)  # random weights make no tone
        wait_for(qtbot, lambda: controller.status.microphone == "USB Microphone")
        wait_for_sound(qtbot, window)
        server.module_unload(usb)
        wait_for(qtbot, lambda: "usb_mic" in told(window))
        assert controller.status.state == "recovering"
        assert text.RECOVERING in [label.text() for label in header.findChildren(QLabel)]
        assert picker.currentText() == text.NOT_CONNECTED.format(name="usb_mic")
        wait_for(qtbot, lambda: not pulse.record(VIRTUAL_MIC, SAMPLE_RATE_HZ).any())  # no other one is heard
        server.module_load("module-remap-source", USB_MIC)
        wait_for_sound(qtbot, window)
        wait_for(qtbot, lambda: told(window) == "" and picker.currentText() == "USB Microphone")
        wait_for(qtbot, lambda: loudest_hz(pulse.record(VIRTUAL_MIC, 2 * SAMPLE_RATE_HZ)) == 1000)
        window.close()


@pytest.mark.parametrize("busy_with", ["Check again", "Play after"])
def test_a_sound_server_that_hangs_holds_up_neither_the_window_nor_its_end(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot, busy_with: str
) -> None:
    with open_window() as window:
        wait_for_sound(qtbot, window)
        button(window, "Take last 10 s").click()
        pulse.hang()
        button(window, busy_with).click()
        button(window, text.BYPASS).click()
        assert window.controller.settings.bypass and not button(window, busy_with).isEnabled()
        ending = monotonic()
        window.close()
    assert monotonic() - ending < LONGEST_END_SECONDS
    pulse.go_on()
    wait_for(qtbot, lambda: "player" not in {thread.name for thread in enumerate_threads()})


def test_a_sound_server_that_hangs_at_the_start_is_told_and_awaited(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot
) -> None:
    pulse.hang()
    with open_window() as window:
        wait_for(qtbot, lambda: "restart PipeWire or PulseAudio" in told(window))
        pulse.go_on()
        wait_for_sound(qtbot, window)
        wait_for(qtbot, lambda: told(window) == "")
        window.close()


def test_an_engine_that_dies_comes_back_and_one_that_keeps_dying_can_be_restarted(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    with open_window() as window:
        restart = button(window, text.RESTART)

        def give_up() -> bool:
            for process in active_children():
                process.kill()
            return restart.isVisible()

        wait_for_sound(qtbot, window)
        active_children()[0].kill()
        wait_for(qtbot, lambda: window.controller.status.state == "recovering")
        assert told(window)
        wait_for_sound(qtbot, window)
        wait_for(qtbot, give_up)
        restart.click()
        wait_for_sound(qtbot, window)
        assert not restart.isVisible()
        window.close()


def test_an_engine_that_the_system_has_no_room_for_is_told_and_can_be_restarted(
    open_window: OpenWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = list[LiveEngine]()

    def refuse(engine: LiveEngine) -> None:
        refused.append(engine)
        raise OSError("Cannot allocate memory")

    start = LiveEngine._start
    monkeypatch.setattr(LiveEngine, "_start", refuse)
    with open_window() as window:
        restart = button(window, text.RESTART)
        for _ in range(2):
            refused.clear()
            restart.click()
            wait_for(qtbot, lambda: bool(refused) and restart.isVisible())
            assert "Cannot allocate memory" in told(window)
        monkeypatch.setattr(LiveEngine, "_start", start)
        restart.click()
        wait_for_sound(qtbot, window)
        assert not restart.isVisible() and not told(window)
        window.close()


def test_a_preset_that_asks_too_much_is_told_and_sound_goes_on(
    open_window: OpenWindow, pulse: PulseServer, qtbot: QtBot, tiny_preset: Path, tmp_path: Path
) -> None:
    hasty = tmp_path / "hasty.toml"  # 64 passes every 23 ms
    preset = tiny_preset.read_text()
    hasty.write_text(preset.replace("hop_frames = 8", "hop_frames = 2").replace("Tiny", "Hasty"))
    with pulse.tone("room", 1000), open_window() as window:
        controller = window.controller
        effort = next(each for each in window.findChildren(QLabel) if each.accessibleName() == text.RUNG)
        controller.change_presets(lambda library: library.add(hasty))
        wait_for(qtbot, lambda: controller.preset is not None and controller.preset.hop_frames == 2)
        controller.choose_passes(64)
        wait_for(qtbot, lambda: "because the computer is" in effort.accessibleDescription())
        assert effort.text() in (text.RUNG_LESS, text.RUNG_NONE)
        heard = pulse.record(VIRTUAL_MIC, 2 * SAMPLE_RATE_HZ)[SAMPLE_RATE_HZ:]
        assert min(np.abs(part).max() for part in np.split(heard, 4)) > 0.0
        controller.choose_passes(1)
        wait_for(qtbot, lambda: effort.text() == text.RUNG_FULL)
        window.close()


def test_devices_come_and_go_and_bring_their_presets(open_window: OpenWindow, qtbot: QtBot) -> None:
    with sound_server() as server:
        usb = server.module_load("module-remap-source", USB_MIC)
        with open_window() as window:
            controller, picker = window.controller, combo_box(window, "Microphone")
            wait_for(qtbot, lambda: picker.findData("usb_mic") >= 0)
            controller.choose_microphone("usb_mic")
            controller.choose_preset("studio")
            controller.choose_microphone("desk_mic")
            controller.choose_preset("call")
            window.close()
        with open_window() as window:
            controller, picker = window.controller, combo_box(window, "Microphone")
            wait_for(qtbot, lambda: picker.findData("usb_mic") >= 0)
            assert controller.settings.preset == "call"
            controller.choose_microphone("usb_mic")
            assert controller.settings.preset == "studio"
            controller.change(preset_by_microphone={"desk_mic": "a preset that was deleted"})
            controller.choose_microphone("desk_mic")
            assert controller.settings.preset == "studio"
            server.module_unload(usb)
            wait_for(qtbot, lambda: picker.findData("usb_mic") < 0)
            window.close()


def test_listening_to_what_the_microphone_hears_is_refused(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        controller = window.controller
        wait_for(qtbot, lambda: bool(controller.devices))
        controller.choose_microphone("speakers.monitor")
        monitor = combo_box(window, "Listen on")
        monitor.setCurrentIndex(monitor.findData("speakers"))
        monitor.activated.emit(monitor.currentIndex())
        assert "would hear itself" in told(window)
        assert controller.settings.monitor is None and monitor.currentText() == text.NOBODY
        controller.choose_monitor("room")
        assert controller.settings.monitor == "room"
        window.close()


def test_a_preset_is_kept_with_what_was_changed_about_it(open_window: OpenWindow, qtbot: QtBot) -> None:
    with open_window() as window:
        controller, picker = window.controller, combo_box(window, "Preset")
        controller.choose_preset("call")
        controller.choose_passes(3)
        controller.save_preset("Kitchen")
        wait_for(qtbot, lambda: picker.currentText() == "Kitchen")
        assert controller.preset is not None and controller.preset.passes == 3
        controller.save_preset("Kitchen")
        wait_for(qtbot, lambda: "Kitchen" in told(window))
        kitchen = controller.settings.preset
        assert kitchen is not None
        controller.change_presets(lambda library: library.delete(kitchen))
        wait_for(qtbot, lambda: controller.settings.preset is None)
        assert picker.findText("Kitchen") < 0
        window.close()


def test_presets_that_are_damaged_are_told_at_the_start_and_later(
    open_window: OpenWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "presets" / "Tiny.toml").write_text("passes = ")
    with open_window() as window:
        assert "Tiny.toml cannot be read" in told(window)
        window.controller.choose_preset("call")
        (tmp_path / "presets" / "Other.toml").write_text("hops = 3")
        window.controller.save_preset("Kitchen")
        wait_for(qtbot, lambda: "Other.toml is not valid" in told(window))
        assert "Tiny.toml" not in told(window)
        window.close()
