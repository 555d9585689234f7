import threading

import pytest

from unmask.train.ahead import Ahead


class Made:
    """Notes what was made where; `made` is a pure function."""

    def __init__(self):
        self.calls = []

    def __call__(self, first, count):
        self.calls.append(((first, count), threading.current_thread().name))
        return list(range(first, first + count))


@pytest.fixture
def made():
    return Made()


@pytest.fixture
def ahead(made):
    found = Ahead(made)
    yield found
    found.close()


def test_the_next_piece_is_made_in_another_thread_and_only_once(ahead, made):
    for step in range(5):
        assert ahead.take((step * 3, 3), (step * 3 + 3, 3)) == [step * 3 + n for n in range(3)]
    ahead.close()

    places, threads = zip(*made.calls, strict=True)
    assert places[:5] == tuple((step * 3, 3) for step in range(5))
    assert threads[0] == "MainThread"
    assert all(name.startswith("batches") for name in threads[1:])


@pytest.mark.parametrize(
    "asked", [[(0, 2), (9, 2), (9, 2), (0, 2)], [(7, 1)] * 3, [(3, 2), (5, 4), (1, 9)]]
)
def test_in_any_order_it_gives_what_the_function_gives(asked, ahead):
    for place in asked:
        assert ahead.take(place, (place[0] + place[1], 2)) == list(range(place[0], sum(place)))


def test_nothing_is_begun_where_nothing_comes_after(ahead, made):
    assert ahead.take((0, 2), None) == [0, 1]
    assert len(made.calls) == 1


def test_the_next_piece_is_begun_before_it_is_asked_for():
    begun = threading.Event()
    ahead = Ahead(lambda first, count: begun.set() if first else count)

    ahead.take((0, 1), (1, 1))

    assert begun.wait(10)
    ahead.close()


def test_an_error_is_raised_where_its_piece_is_asked_for():
    def made(first, count):
        if first == 2:
            raise ValueError(f"no {first}")
        return count

    ahead = Ahead(made)
    assert ahead.take((0, 2), (2, 2)) == 2
    with pytest.raises(ValueError, match="no 2"):
        ahead.take((2, 2), (4, 2))
    with pytest.raises(ValueError, match="no 2"):
        ahead.take((2, 2), (4, 2))
    assert ahead.take((4, 2), (2, 2)) == 2
    assert ahead.take((4, 2), None) == 2
    ahead.close()
