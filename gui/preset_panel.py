"""The choice of a preset, and what may be changed about it: quality, delay and mix."""

from collections.abc import Iterable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QComboBox, QSizePolicy

from gui import text
from gui.choice_slider import ChoiceSlider
from gui.controller import Controller
from gui.parts import Card, Field
from gui.preset_menu import PresetMenu
from model.translation import _
from presets.preset import FRAME_MS

PASSES = (1, 2, 4, 8, 16)
LOOKAHEAD_FRAMES = (2, 4, 6, 10, 16)
MIX_PERCENT = range(0, 101, 5)


class PresetPanel(Card):
    """Shows and changes what the controller holds."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._titles: dict[str | None, str] = {}
        self._picker = QComboBox()
        self._picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._picker.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._picker.activated.connect(lambda row: controller.choose_preset(self._picker.itemData(row)))
        self._quality = ChoiceSlider(text.PASSES_FIELD, text.PASSES_TIP, _describe_passes)
        self._quality.chosen.connect(controller.choose_passes)
        self._delay = ChoiceSlider(text.LOOKAHEAD_FIELD, text.LOOKAHEAD_TIP, _describe_lookahead)
        self._delay.chosen.connect(controller.choose_lookahead)
        self._mix = ChoiceSlider(text.MIX_FIELD, text.MIX_TIP, _describe_mix)
        self._mix.chosen.connect(lambda percent: controller.change(dry_wet=percent / 100))
        self.column.addWidget(Field(text.PRESET_FIELD, self._picker, beside=PresetMenu(controller)))
        for slider in (self._quality, self._delay, self._mix):
            self.column.addWidget(slider)
        for changed in (controller.settings_changed, controller.status_changed, controller.shelf_changed):
            changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self._show_presets()
        settings, preset = self._controller.settings, self._controller.preset
        self._mix.show_choice(MIX_PERCENT, MIX_PERCENT[round(settings.dry_wet * (len(MIX_PERCENT) - 1))])
        for slider in (self._quality, self._delay):
            slider.setEnabled(preset is not None)
        if preset is not None:
            passes = preset.passes if settings.passes is None else settings.passes
            self._quality.show_choice(_merged(PASSES, preset.passes, passes), passes)
            lookahead = settings.lookahead_frames
            lookahead = preset.lookahead_frames if lookahead is None else lookahead
            fitting = [frames for frames in LOOKAHEAD_FRAMES if frames * FRAME_MS >= preset.fade_ms]
            self._delay.show_choice(_merged(fitting, preset.lookahead_frames, lookahead), lookahead)

    def _show_presets(self) -> None:
        titles = self._controller.preset_titles
        if titles != self._titles:
            self._titles = titles
            self._picker.clear()
            for choice, title in titles.items():
                self._picker.addItem(title, choice)
            for row, entry in enumerate(self._controller.shelf.entries, start=1):
                self._picker.setItemData(row, _(entry.preset.description), Qt.ItemDataRole.ToolTipRole)
        self._picker.setCurrentIndex(list(titles).index(self._controller.settings.preset))


def _merged(values: Iterable[int], *more: int) -> list[int]:
    return sorted({*values, *more})


def _word(words: tuple[str, ...], values: tuple[int, ...], value: int) -> str:
    """The word for the largest of `values` that is not above `value`."""
    return words[max(0, sum(value >= each for each in values) - 1)]


def _describe_passes(passes: int) -> str:
    return text.passes_value(_word(text.PASSES_WORDS, PASSES, passes), passes)


def _describe_lookahead(frames: int) -> str:
    word = _word(text.LOOKAHEAD_WORDS, LOOKAHEAD_FRAMES, frames)
    return text.LOOKAHEAD_VALUE.format(word=word, ms=frames * FRAME_MS)


def _describe_mix(percent: int) -> str:
    return text.MIX_VALUE.format(percent=percent)
