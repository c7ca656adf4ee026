"""Where a live session without a window tells other programs how it is doing."""

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from platformdirs import user_cache_path, user_runtime_path

from realtime.messages import EngineStatus

FRESH_SECONDS = 5.0  # a session that is running tells more often


class SessionFile:
    """Holds the newest status of a session while the context is open; the file is gone afterwards."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = session_path() if path is None else path

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.path.unlink(missing_ok=True)

    def put(self, status: EngineStatus) -> None:
        """Replace the status, in one step; to be called about once a second.

        Where that fails, the status is left untold: sound goes before.
        """
        part = self.path.with_suffix(f".{os.getpid()}.part")  # other sessions tell here as well
        session = {"process": os.getpid(), "at": time.time(), **asdict(status)}
        with suppress(OSError):
            part.write_text(json.dumps(session), encoding="utf-8")
            part.replace(self.path)


def session_path() -> Path:
    """In the user's runtime folder, or the cache where a login brings none."""
    has_runtime_folder = sys.platform != "linux" or "XDG_RUNTIME_DIR" in os.environ
    folder = (user_runtime_path if has_runtime_folder else user_cache_path)("masksr-live", appauthor=False)
    return folder / "session.json"


def read_session(path: Path | None = None) -> dict[str, Any] | None:
    """The newest status: what EngineStatus has, `process` and `at`; None when no session is running."""
    try:
        session = json.loads((session_path() if path is None else path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return session if time.time() - session["at"] < FRESH_SECONDS else None
