"""The style sheet: shapes, spacing and states of the controls, in a palette's colours.

A widget takes a part by its `role` property: a QFrame can be a "card" or an "alert"; a QLabel a "title", a
"caption", "good" news, a "problem", a page that is "empty" yet, or a place to "drop" files on; a QPushButton
"primary", or a tall "switch".
"""

from dataclasses import asdict
from pathlib import Path
from string import Template

from gui.palette import Palette

ICONS = Path(__file__).parent / "icons"

_TEMPLATE = Template("""
QWidget { color: $text; }
QWidget:disabled { color: $disabled; }
QMainWindow, QDialog { background: $window; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: 4px; }

QFrame[role="card"] { background: $surface; border: 1px solid $line; border-radius: 8px; }
QFrame[role="alert"] { background: $surface; border: 1px solid $danger; border-radius: 8px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: 13pt; font-weight: 600; }
QLabel[role="caption"] { color: $muted; }
QLabel[role="good"] { color: $good; }
QLabel[role="problem"] { color: $danger; }
QLabel[role="empty"] { color: $muted; background: $surface; border: 1px solid $line; border-radius: 8px; }
QLabel[role="drop"] { color: $muted; border: 2px dashed $border; border-radius: 8px; padding: 24px; }

QPushButton, QToolButton, QComboBox {
    background: $raised; border: 1px solid $border; border-radius: 6px; padding: 5px 12px; min-height: 20px;
}
QPushButton[role="switch"] { min-height: 40px; }
QToolButton { padding: 5px 8px; max-height: 20px; }
QToolButton::menu-indicator { image: none; }
QPushButton:hover, QToolButton:hover, QComboBox:hover { border-color: $accent; }
QPushButton:pressed, QToolButton:pressed { background: $line; }
QPushButton:checked, QToolButton:checked, QPushButton[role="primary"] {
    background: $accent; border-color: $accent; color: $on_accent; font-weight: 600;
}
QPushButton:disabled, QToolButton:disabled, QComboBox:disabled {
    background: $surface; border-color: $line; color: $disabled;
}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QListView:focus, QSpinBox:focus {
    border: 2px solid $focus; padding-left: 11px; padding-right: 11px; padding-top: 4px; padding-bottom: 4px;
}
QToolButton:focus { padding: 4px 7px; }
QListView:focus { padding: 0px; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: url("$chevron"); width: 12px; height: 12px; }
QComboBox QAbstractItemView {
    background: $raised; border: 1px solid $border; padding: 4px; outline: none;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit, QListView, QPlainTextEdit {
    background: $surface; border: 1px solid $border; border-radius: 6px; padding: 5px 8px;
    selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit { min-height: 20px; }
QLineEdit:disabled { border-color: $line; }
QListView { padding: 1px; }

QCheckBox { spacing: 8px; padding: 2px; border: 2px solid transparent; border-radius: 6px; }
QCheckBox:focus { border-color: $focus; }
QCheckBox::indicator {
    width: 14px; height: 14px; background: $raised; border: 1px solid $border; border-radius: 4px;
}
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$check"); }
QCheckBox::indicator:disabled { background: $surface; border-color: $line; }

QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $border; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::sub-page:horizontal:disabled { background: $border; }
QSlider::handle:horizontal {
    width: 16px; height: 16px; margin: -7px 0px; border-radius: 9px;
    background: $text; border: 1px solid $surface;
}
QSlider::handle:horizontal:disabled { background: $disabled; }
QSlider::handle:horizontal:hover { background: $accent; }
QSlider::handle:horizontal:focus { background: $accent; border: 2px solid $focus; width: 14px; height: 14px; }

QProgressBar { background: $raised; border: 1px solid $border; border-radius: 5px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 4px; }

QTabWidget::pane { border: none; border-top: 2px solid $line; top: -2px; }
QTabBar { background: transparent; }
QTabBar::tab { color: $muted; padding: 7px 14px; border: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:focus { border: 2px solid $focus; border-radius: 6px; }

QMenuBar { background: $window; }
QMenuBar::item { padding: 5px 10px; border-radius: 5px; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $raised; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 24px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }

QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; background: transparent; }
QScrollBar::handle:vertical { background: $border; border-radius: 5px; min-height: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0px; }
""")


def style_sheet(palette: Palette) -> str:
    theme = "dark" if palette.is_dark else "light"
    icons = {name: (ICONS / f"{name}_{theme}.svg").as_posix() for name in ("chevron", "check")}
    return _TEMPLATE.substitute(asdict(palette) | icons)
