"""How the processes of a live session behave towards the system and each other."""

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, parent_process
from pathlib import Path

import psutil

REAL_TIME_PRIORITY = 5  # as PulseAudio and PipeWire's clients have; theirs is higher
SWITCH_SECONDS = 0.0005  # Python's threads take turns this often: a callback must not wait for others


def settle_in(niceness: int) -> None:
    """Begin the life of a child process: urgent as far as the system allows, ended by its parent alone.

    One whose `niceness` is above 0 gives way instead. It ends with any of its threads that fails, lest it
    goes on without what that did.
    """
    for number in ending_signals() - {signal.SIGTERM}:  # a terminal sends them to all of its processes
        signal.signal(number, signal.SIG_IGN)
    threading.excepthook = _end_with_thread
    sys.setswitchinterval(SWITCH_SECONDS)
    atexit.register(gc.unfreeze)  # what is `lasting` ends in order too
    _be_as_nice_as(niceness)


def _be_as_nice_as(niceness: int) -> None:
    this = psutil.Process()
    if sys.platform == "win32":
        this.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if niceness > 0 else psutil.HIGH_PRIORITY_CLASS)
        return
    with suppress(psutil.AccessDenied):
        this.nice(max(niceness, this.nice()) if niceness > 0 else min(niceness, this.nice()))


def ending_signals() -> set[signal.Signals]:
    """What asks a program to end: Ctrl-C, a service manager, and a terminal that closes, but for `nohup`."""
    asking = {signal.SIGINT, signal.SIGTERM}
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asking.add(signal.SIGHUP)
    return asking


@contextmanager
def urgent_threads() -> Iterator[None]:
    """Threads started within come before all others of the machine, where the system allows it."""
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


@contextmanager
def lasting() -> Iterator[None]:
    """What is imported and made within stays to the end: looking through it for garbage would be in the way.

    It would take a fifth of the time that a model needs to load, and halt every so many hops afterwards.
    What has had its time by the next context is freed then.
    """
    gc.unfreeze()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _end_with_thread(failure: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(failure)
    os._exit(1)


def end_past_stuck_threads() -> None:
    """End this process now if a thread still waits for a sound server that hangs.

    The libraries that it is in would wait for it too, or crash when they are ended beneath it.
    """
    if threading.active_count() > 1:
        os._exit(0)


def end_with_parent() -> None:
    """End this process, whatever it does, when its parent ends in any way."""
    threading.Thread(target=_end_with_parent, name="parent watcher", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "this is for child processes"
    connection.wait([parent.sentinel])
    os._exit(1)


def identity(process_id: int) -> str:
    """Tells a process of Linux from later ones of its number by the time of its start; empty without it."""
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return f"{process_id}-{fields[19]}"  # starttime; see proc(5)


def is_running(process: str) -> bool:
    """Whether the process of that identity still runs."""
    number = process.partition("-")[0]
    return number.isdecimal() and identity(int(number)) == process
