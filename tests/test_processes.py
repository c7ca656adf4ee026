"""Processes behave towards the system and each other."""

import gc

import pytest

from realtime.processes import lasting


def test_what_lasts_is_not_looked_through_for_garbage() -> None:
    frozen = gc.get_freeze_count()
    try:
        with pytest.raises(ValueError, match="bad"), lasting():
            assert not gc.isenabled()
            raise ValueError("bad")
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
