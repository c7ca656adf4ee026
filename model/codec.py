"""The neural audio codec (DAC). No other file imports the `dac` package."""

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@functools.cache
def import_dac() -> ModuleType:
    """Import the `dac` package, whether or not torchaudio works on this machine.

    Slow (about a second beyond torch itself), so call it when a model is loaded and not before.
    """
    with _torchaudio_or_stand_in():
        import dac
    return dac


# dac imports audiotools, and audiotools imports torchaudio for resampling effects and file access that
# the codec never calls. The released torchaudio wheels link against the CUDA libraries, so beside a
# CPU-only torch the import itself fails. An empty module then takes its place, for as long as
# audiotools is being imported: code that really wants torchaudio still meets the real error.
@contextmanager
def _torchaudio_or_stand_in() -> Iterator[None]:
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError, RuntimeError):  # missing, linked against CUDA, built for another CUDA
        sys.modules["torchaudio"] = ModuleType("torchaudio")
        try:
            yield
        finally:
            del sys.modules["torchaudio"]
    else:
        yield
