"""The live pictures of the microphone and of what is made of it."""

from PyQt6.QtWidgets import QVBoxLayout, QWidget

from gui.ballistics import MeterBallistics
from gui.meters import LevelMeters
from gui.parts import Card
from gui.spectrogram_view import SpectrogramView
from gui.spectrum_view import SpectrumView
from realtime.signal_tap import SignalTap

LONGEST_SECONDS = 0.5  # that are drawn at once, after the window was hidden


class LivePage(QWidget):
    """Spectrum, spectrograms and meters, with what each tap has got since the last `draw`."""

    _position: int  # in the tap
    _longest_frames: int
    _dry_level: MeterBallistics
    _restored_level: MeterBallistics

    def __init__(self) -> None:
        super().__init__()
        self._tap: SignalTap | None = None
        self._spectrum, self._spectrograms, self._meters = SpectrumView(), SpectrogramView(), LevelMeters()
        card = Card()
        card.column.addWidget(self._spectrum, 2)
        card.column.addWidget(self._spectrograms, 5)
        card.column.addWidget(self._meters)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.addWidget(card)

    def draw(self, tap: SignalTap) -> None:
        if tap is not self._tap:
            self._start(tap)
        written = tap.written
        start = max(self._position, written - self._longest_frames)
        if written > start:
            dry, restored = tap.read(start, written - start)
            self._position = written
            self._spectrum.push(dry, restored)
            self._spectrograms.push(dry, restored)
            self._meters.set_levels(self._dry_level.push(dry), self._restored_level.push(restored))

    def _start(self, tap: SignalTap) -> None:
        self._tap, self._position = tap, tap.written
        self._longest_frames = round(LONGEST_SECONDS * tap.sample_rate_hz)
        self._dry_level = MeterBallistics(tap.sample_rate_hz)
        self._restored_level = MeterBallistics(tap.sample_rate_hz)
        self._spectrum.start(tap.sample_rate_hz)
        self._spectrograms.start(tap.sample_rate_hz)
