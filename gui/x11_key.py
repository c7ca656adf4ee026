"""A key that the X server hands to this program whichever one is in front."""

from itertools import product

from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import BadAccess, CatchError

from gui import text
from model.errors import MaskSRError

MODIFIERS = {"Ctrl": X.ControlMask, "Alt": X.Mod1Mask, "Shift": X.ShiftMask, "Meta": X.Mod4Mask}
LOCKS = [caps | num for caps, num in product((0, X.LockMask), (0, X.Mod2Mask))]  # any of them may be on


class HotkeyError(MaskSRError):
    """A key cannot be taken for all programs."""


class X11Key:
    """Holds `key`, such as "Ctrl+Alt+B", until `close`. Raises HotkeyError."""

    def __init__(self, key: str) -> None:
        *modifiers, letter = key.split("+")
        self._display = Display()
        code = self._display.keysym_to_keycode(_keysym(letter))
        if not code or not set(modifiers) <= set(MODIFIERS):
            self.close()
            raise HotkeyError(text.HOTKEY_UNKNOWN.format(key=key))
        mask = sum(MODIFIERS[modifier] for modifier in modifiers)
        taken = CatchError(BadAccess)
        for lock in LOCKS:
            self._display.screen().root.grab_key(
                code, mask | lock, False, X.GrabModeAsync, X.GrabModeAsync, onerror=taken
            )
        self._display.sync()
        if taken.get_error() is not None:
            self.close()
            raise HotkeyError(text.HOTKEY_TAKEN.format(key=key))

    def fileno(self) -> int:
        """Readable when there is something for `presses` to count."""
        return int(self._display.fileno())

    def presses(self) -> int:
        """How often the key went down since the last call."""
        events = [self._display.next_event() for _ in range(self._display.pending_events())]
        return sum(event.type == X.KeyPress for event in events)

    def close(self) -> None:
        self._display.close()


def _keysym(letter: str) -> int:
    return int(XK.string_to_keysym(letter if len(letter) > 1 else letter.lower()))
