import numpy as np
import pytest

from unmask.tokens.order import Order, schedule


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000, 4097])
def test_an_order_is_a_bijection(count):
    numbers = Order(seed=3, epoch=5, count=count)(np.arange(count))

    assert sorted(numbers.tolist()) == list(range(count))


def test_orders_differ_by_seed_and_by_epoch():
    one, other, third = (Order(s, e, 1000)(np.arange(1000)) for s, e in ((0, 0), (0, 1), (1, 0)))

    assert (one != other).mean() > 0.9
    assert (one != third).mean() > 0.9


def test_an_order_is_mixed_well():
    numbers = Order(seed=0, epoch=0, count=10_000)(np.arange(10_000))

    assert abs(np.corrcoef(np.arange(10_000), numbers)[0, 1]) < 0.05
    assert (np.diff(numbers) == 1).mean() < 0.01


def test_any_position_can_be_asked_alone():
    order = Order(seed=1, epoch=2, count=777)
    together = order(np.arange(777))

    alone = [int(order(np.array([index]))[0]) for index in (0, 1, 400, 776)]

    assert alone == together[[0, 1, 400, 776]].tolist()


def test_a_position_far_ahead_costs_no_more():
    order = Order(seed=1, epoch=2, count=10**12)

    assert 0 <= order(np.array([10**9]))[0] < 10**12


def test_a_schedule_crosses_epochs_without_a_seam():
    epochs, blocks = schedule(seed=0, count=10, first=7, number=26)

    assert epochs.tolist() == [0] * 3 + [1] * 10 + [2] * 10 + [3] * 3
    assert sorted(blocks[3:13].tolist()) == list(range(10))
    assert blocks[3:13].tolist() == Order(0, 1, 10)(np.arange(10)).tolist()


def test_the_order_is_the_same_in_every_version():
    """A run that is resumed after an upgrade has to go on with the same blocks."""
    assert Order(0, 0, 1000)(np.arange(8)).tolist() == [504, 873, 36, 325, 629, 749, 775, 263]
    far = Order(7, 3, 10**12)(np.arange(3)).tolist()
    assert far == [596998787596, 190774902874, 696217932468]
