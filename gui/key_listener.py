"""The process that hears one key on Windows and macOS: writes a byte whenever it goes down.

It ends with the window, whose end of its input closes then.
"""

import os
import signal
import sys
from threading import Thread

UNTRUSTED = 3  # what it ends with where the system lets it hear no keys


def listen(names: str) -> int:
    """Listen for `names`, such as "<ctrl>+<alt>+b"; return where that cannot be, with the exit status."""
    from pynput.keyboard import HotKey, KeyCode, Listener  # not for the window, which knows this module

    wanted = HotKey.parse(names)
    hotkey = HotKey(wanted, lambda: os.write(1, b"."))

    def plain(key: KeyCode) -> KeyCode:
        """By its number if that is wanted, or else without what modifiers make of it."""
        if isinstance(key, KeyCode) and key.vk is not None and KeyCode.from_vk(key.vk) in wanted:
            return KeyCode.from_vk(key.vk)
        return listener.canonical(key)

    listener = Listener(lambda key: hotkey.press(plain(key)), lambda key: hotkey.release(plain(key)))
    listener.start()
    listener.wait()
    if not getattr(listener, "IS_TRUSTED", True):  # macOS alone has it
        return UNTRUSTED
    Thread(target=_end_with_window, daemon=True).start()
    listener.join()
    return 1


def _end_with_window() -> None:
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal
    sys.exit(listen(sys.argv[1]))
