"""The choice of one device, which goes on working while devices come and go."""

from collections import Counter
from collections.abc import Sequence

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QSizePolicy, QWidget

from gui import text
from realtime.device_info import DeviceInfo, Direction

SHORTEST = 12  # characters of a name that always fit


class DevicePicker(QComboBox):
    """Lists the devices of one direction below a first entry that stands for None."""

    chosen = pyqtSignal(object)  # what `choose_device` takes: str | None

    def __init__(self, direction: Direction, none_text: str | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._direction = direction
        self._none_text = none_text  # None: the system's default is meant, and named
        self._entries: list[tuple[str, str | None]] = []
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(SHORTEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))

    def show_devices(self, devices: Sequence[DeviceInfo], choice: str | None) -> None:
        """List `devices` with `choice` as the one chosen, whether it is there or not."""
        usable = [device for device in devices if device.direction == self._direction and not device.is_ours]
        entries: list[tuple[str, str | None]] = [(self._text_for_none(usable), None)]
        times = Counter(device.description for device in usable)  # Windows lists one by several host APIs
        entries += [
            (device.description if times[device.description] == 1 else device.known_as, device.choice)
            for device in usable
            if not device.is_monitor or device.choice == choice
        ]
        if choice not in (known for _, known in entries):
            entries.append((text.NOT_CONNECTED.format(name=choice), choice))
        if entries != self._entries:
            self._entries = entries
            self.clear()
            for name, known in entries:
                self.addItem(name, known)
        self.setCurrentIndex([known for _, known in entries].index(choice))

    def _text_for_none(self, usable: Sequence[DeviceInfo]) -> str:
        if self._none_text is not None:
            return self._none_text
        default = next((device for device in usable if device.is_default), None)
        if default is None:
            return text.SYSTEM_DEFAULT
        return text.SYSTEM_DEFAULT_NAMED.format(name=default.description)
