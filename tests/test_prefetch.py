"""What is needed next is being made before it is asked for."""

from threading import Event, get_ident

import pytest

from model.prefetch import Prefetch


def test_items_come_in_order_and_each_is_made_once() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number**2

    with Prefetch(make, 9, threads=2) as items:
        assert [items.take(number) for number in range(3, 9)] == [9, 16, 25, 36, 49, 64]
    assert sorted(made) == list(range(3, 9))


def test_the_next_item_is_made_meanwhile_and_elsewhere() -> None:
    begun, places = Event(), []

    def make(number: int) -> int:
        places.append(get_ident())
        if number == 1:
            begun.set()
        return number

    with Prefetch(make, 10, threads=1) as items:
        items.take(0)
        assert begun.wait(10)
    assert get_ident() not in places


def test_a_mistake_is_told_where_its_item_is_taken() -> None:
    with Prefetch(lambda number: 1 // (2 - number), 10, threads=1) as items:
        assert items.take(0) == 0
        assert items.take(1) == 1
        with pytest.raises(ZeroDivisionError):
            items.take(2)
