"""A key that the X server hands to this program, and to no other, whichever one is in front."""

from itertools import product

from PyQt6.QtCore import QSocketNotifier
from PyQt6.sip import voidptr
from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import BadAccess, CatchError, ConnectionClosedError, DisplayError
from Xlib.protocol.rq import Event

from gui import text
from gui.global_key import GlobalKey, HotkeyError

MODIFIERS = {"Ctrl": X.ControlMask, "Alt": X.Mod1Mask, "Shift": X.ShiftMask, "Meta": X.Mod4Mask}
LOCKS = [caps | num for caps, num in product((0, X.LockMask), (0, X.Mod2Mask))]  # any of them may be on


class X11Key(GlobalKey):
    """Holds `key`, such as "Ctrl+Alt+B", until `close`. Raises HotkeyError."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._released_at: int | None = None
        self._display = _open_display()
        try:
            self._grab(key)
        except HotkeyError:
            self._display.close()
            raise
        self._notifier = QSocketNotifier(voidptr(self._display.fileno()), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    def close(self) -> None:
        self._notifier.setEnabled(False)
        self._display.close()

    def _grab(self, key: str) -> None:
        *modifiers, letter = key.split("+")
        code = self._display.keysym_to_keycode(_keysym(letter))
        if not code or not set(modifiers) <= set(MODIFIERS):
            raise HotkeyError(text.HOTKEY_UNKNOWN.format(key=key))
        mask = sum(MODIFIERS[modifier] for modifier in modifiers)
        taken = CatchError(BadAccess)
        for lock in LOCKS:
            self._display.screen().root.grab_key(
                code, mask | lock, False, X.GrabModeAsync, X.GrabModeAsync, onerror=taken
            )
        self._display.sync()
        if taken.get_error() is not None:
            raise HotkeyError(text.HOTKEY_TAKEN.format(key=key))

    def _read(self) -> None:
        events = [self._display.next_event() for _ in range(self._display.pending_events())]
        if sum(self._is_pressed(event) for event in events) % 2:
            self.pressed.emit()

    def _is_pressed(self, event: Event) -> bool:
        """Whether a finger did it: the server repeats a key by a release and a press of one time."""
        if event.type == X.KeyRelease:
            self._released_at = event.time
        return event.type == X.KeyPress and event.time != self._released_at


def _open_display() -> Display:
    """A connection of its own, which not every way to authorise Qt's lets in."""
    try:
        return Display()
    except (ConnectionClosedError, DisplayError) as error:
        raise HotkeyError(text.HOTKEY_UNREACHABLE.format(error=error)) from error


def _keysym(letter: str) -> int:
    return int(XK.string_to_keysym(letter if len(letter) > 1 else letter.lower()))
