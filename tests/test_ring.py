"""The ring holds the newest samples of a stream at their positions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.ring import Ring, Samples


@settings(deadline=None, max_examples=60)
@given(capacity=st.integers(1, 40), sizes=st.lists(st.integers(0, 40), max_size=12), data=st.data())
def test_holds_the_newest_samples_of_the_stream(capacity: int, sizes: list[int], data: st.DataObject) -> None:
    ring = Ring(capacity)
    stream: Samples = np.zeros(0, np.float32)
    for size in sizes:
        block = np.arange(len(stream), len(stream) + min(size, capacity), dtype=np.float32) + 1
        ring.write(block)
        stream = np.concatenate([stream, block])
    start = data.draw(st.integers(max(0, len(stream) - capacity), len(stream)))
    end = data.draw(st.integers(start, len(stream)))
    np.testing.assert_array_equal(ring.read(start, end - start), stream[start:end])


def test_reads_zeros_before_the_start() -> None:
    ring = Ring(4)
    ring.write(np.ones(2, np.float32))
    np.testing.assert_array_equal(ring.read(-3, 5), [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(ring.read(-90, 3), [0, 0, 0])


@pytest.mark.parametrize(("start", "count"), [(9, 2), (4, 1), (-1, 3)])
def test_refuses_what_is_not_written_or_already_forgotten(start: int, count: int) -> None:
    ring = Ring(5)
    for _ in range(2):
        ring.write(np.ones(5, np.float32))
    with pytest.raises(IndexError):
        ring.read(start, count)


def test_refuses_a_block_longer_than_itself() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Ring(3).write(np.ones(4, np.float32))


def test_a_restart_forgets() -> None:
    ring = Ring(3)
    ring.write(np.ones(3, np.float32))
    ring.restart()
    ring.write(np.full(1, 2, np.float32))
    np.testing.assert_array_equal(ring.read(-2, 3), [0, 0, 2])
