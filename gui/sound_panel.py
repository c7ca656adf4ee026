"""Where the sound comes from and where it goes."""

from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from gui import text
from gui.device_picker import DevicePicker
from gui.parts import Card, Field, caption
from gui.settings import Settings
from realtime.device_info import DeviceInfo
from realtime.messages import EngineStatus
from realtime.virtual_mic import heard_as


class SoundPanel(Card):
    """The choice of devices; shows what it is told to and emits what the user picks."""

    microphone_chosen = pyqtSignal(object)  # str | None
    output_chosen = pyqtSignal(object)  # str | None
    monitor_chosen = pyqtSignal(object)  # str | None
    virtual_mic_switched = pyqtSignal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._microphone = DevicePicker("input", None)
        self._microphone.chosen.connect(self.microphone_chosen)
        self._virtual_mic = QCheckBox(text.VIRTUAL_MIC)
        self._virtual_mic.setToolTip(text.VIRTUAL_MIC_TIP)
        self._virtual_mic.clicked.connect(self.virtual_mic_switched)
        self._virtual_mic_state: QLabel = caption()
        self._output = DevicePicker("output", None)
        self._output.chosen.connect(self.output_chosen)
        self._output_field = Field(text.OUTPUT_FIELD, self._output)
        self._monitor = DevicePicker("output", text.NOBODY)
        self._monitor.chosen.connect(self.monitor_chosen)
        parts: Sequence[QWidget] = (
            Field(text.MICROPHONE_FIELD, self._microphone),
            self._make_virtual_mic(),
            self._output_field,
            Field(text.MONITOR_FIELD, self._monitor, text.MONITOR_TIP),
        )
        for part in parts:
            self.column.addWidget(part)

    def _make_virtual_mic(self) -> QWidget:
        switch = QWidget()
        column = QVBoxLayout(switch)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._virtual_mic)
        column.addWidget(self._virtual_mic_state)
        return switch

    def show_devices(self, devices: Sequence[DeviceInfo], settings: Settings) -> None:
        self._microphone.show_devices(devices, settings.microphone)
        self._output.show_devices(devices, settings.output)
        self._monitor.show_devices(devices, settings.monitor)
        self._virtual_mic.setChecked(settings.virtual_mic)
        self._output_field.setVisible(not settings.virtual_mic)

    def show_state(self, status: EngineStatus, settings: Settings) -> None:
        if not settings.virtual_mic:
            words = text.VIRTUAL_MIC_OFF
        elif status.output is None:
            words = text.VIRTUAL_MIC_WAITING
        else:
            words = text.VIRTUAL_MIC_ON.format(name=heard_as(status.output))
        self._virtual_mic_state.setText(words)
