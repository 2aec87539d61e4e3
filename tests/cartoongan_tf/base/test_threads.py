import threading
import time

import pytest

from cartoongan_tf.base.threads import iterate_ahead, map_ahead


def test_results_come_in_order_whatever_the_threads():
    def slow_at_first(item):
        time.sleep(0.05 if item == 0 else 0)
        return item * item

    for num_threads in (1, 2, 5):
        assert list(map_ahead(slow_at_first, range(20), num_threads)) == [item * item for item in range(20)]


@pytest.mark.parametrize("num_threads, num_ahead, most", [(1, 0, 2), (2, 0, 3), (2, 6, 7)])
def test_items_are_taken_as_they_are_needed(num_threads, num_ahead, most):
    taken = []
    items = (taken.append(item) or item for item in range(100))
    results = map_ahead(lambda item: item, items, num_threads, num_ahead)
    assert next(results) == 0
    assert len(taken) == most


def test_errors_are_raised_in_their_place_and_end_the_work():
    called = []

    def fail_at_three(item):
        called.append(item)
        if item == 3:
            raise ValueError("three")
        return item

    results = map_ahead(fail_at_three, range(1000), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert len(called) < 10 and threading.active_count() < 10


def test_one_thing_is_read_while_another_is_used_and_a_third_written():
    """While the first is drawn the second is read, and while the second is drawn the first is written."""
    second_read, first_written = threading.Event(), threading.Event()

    def read(item):
        if item == 2:
            second_read.set()
        return item

    def drawn():
        for item in map_ahead(read, [1, 2, 3], 2):
            assert (second_read if item == 1 else first_written).wait(20)
            yield item

    assert list(map_ahead(lambda item: first_written.set() or item, drawn(), 2)) == [1, 2, 3]


def test_items_are_taken_ahead_in_order_and_no_longer_than_they_are_used():
    taken = []
    some_taken = threading.Event()

    def take():
        for item in range(100):
            taken.append(item)
            if item == 3:
                some_taken.set()
            yield item

    assert list(iterate_ahead(iter("abc"), 2)) == ["a", "b", "c"]
    items = iterate_ahead(take(), 2)
    assert [next(items), next(items)] == [0, 1]
    assert some_taken.wait(20)  # two are taken ahead
    items.close()
    assert len(taken) <= 5


def test_errors_of_items_taken_ahead_are_raised_in_their_place():
    def take():
        yield 1
        raise ValueError("two")

    items = iterate_ahead(take(), 2)
    assert next(items) == 1
    with pytest.raises(ValueError, match="two"):
        next(items)
