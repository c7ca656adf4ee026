"""The keys of all programs, from Qt's names for them to pynput's."""

from gui import text
from gui.global_key import HotkeyError

MODIFIERS = {"Ctrl": "<ctrl>", "Alt": "<alt>", "Shift": "<shift>", "Meta": "<cmd>"}
MAC_MODIFIERS = MODIFIERS | {"Ctrl": "<cmd>", "Meta": "<ctrl>"}  # Qt calls Command Ctrl there
ALIKE = ("Backspace", "Down", "End", "Esc", "Home", "Left", "Right", "Space", "Tab", "Up")
FUNCTION = tuple(f"F{number}" for number in range(1, 21))
OTHERWISE = {"Del": "delete", "Ins": "insert", "PgDown": "page_down", "PgUp": "page_up", "Return": "enter"}
NAMED = {name: name.lower() for name in ALIKE + FUNCTION} | OTHERWISE
MAC_PLACES = "asdfhgzxcv§bqweryt123465=97-80]ou[ip\nlj'k;\\,/nm"  # of an American keyboard, by their numbers


def pynput_names(key: str, platform: str) -> str:
    """`key`, such as "Ctrl+Alt+PgUp", as "<ctrl>+<alt>+<page_up>", for `sys.platform`. Raises HotkeyError."""
    *modifiers, last = key.split("+")
    known = MAC_MODIFIERS if platform == "darwin" else MODIFIERS
    if not set(modifiers) <= set(known) or not (last in NAMED or _is_plain(last)):
        raise HotkeyError(text.HOTKEY_UNKNOWN.format(key=key))
    return "+".join([*(known[modifier] for modifier in modifiers), _last(last, modifiers, platform)])


def _is_plain(last: str) -> bool:
    return len(last) == 1 and last.isascii() and last.isalnum()


def _last(last: str, modifiers: list[str], platform: str) -> str:
    """By its number where modifiers change the character that a key types."""
    if last in NAMED:
        return f"<{NAMED[last]}>"
    if platform == "win32":
        return f"<{ord(last.upper())}>"
    if platform == "darwin" and "Alt" in modifiers:
        return f"<{MAC_PLACES.index(last.lower())}>"
    return last.lower()
