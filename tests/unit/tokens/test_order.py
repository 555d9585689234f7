import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unmask.tokens.order import Order, Shuffled, Stratified, strata_of


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


def test_training_crosses_epochs_without_a_seam():
    epochs, blocks = Shuffled(seed=0, count=10).at(7, 26)

    assert epochs.tolist() == [0] * 3 + [1] * 10 + [2] * 10 + [3] * 3
    assert sorted(blocks[3:13].tolist()) == list(range(10))
    assert blocks[3:13].tolist() == Order(0, 1, 10)(np.arange(10)).tolist()


def test_the_order_is_the_same_in_every_version():
    """A run that is resumed after an upgrade has to go on with the same blocks."""
    assert Order(0, 0, 1000)(np.arange(8)).tolist() == [504, 873, 36, 325, 629, 749, 775, 263]
    far = Order(7, 3, 10**12)(np.arange(3)).tolist()
    assert far == [596998787596, 190774902874, 696217932468]


def cut(count, strata, seed=0):
    """An order of `count` blocks whose numbers are their ranks by length."""
    return Stratified(seed, np.arange(count), *strata_of(count, strata))


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 3), st.integers(0, 2))
def test_every_epoch_has_every_block_once_however_many_strata(count, strata, epoch, seed):
    """A count that the number of strata does not divide leaves nothing out."""
    epochs, blocks = cut(count, strata, seed).at(epoch * count, count)

    assert set(epochs.tolist()) == {epoch}
    assert sorted(blocks.tolist()) == list(range(count))


@example(113, 28, 1, 2)  # strata of 4 and of 5 blocks, one side of a power of four each
@given(st.integers(1, 300), st.integers(1, 40), st.integers(0, 900), st.integers(1, 50))
def test_any_positions_of_strata_can_be_asked_alone(count, strata, first, number):
    order = cut(count, strata)
    epochs, blocks = (column[first:] for column in order.at(0, first + number))

    alone = order.at(first, number)

    assert alone[0].tolist() == epochs.tolist()
    assert alone[1].tolist() == blocks.tolist()


@given(st.integers(1, 60), st.integers(8, 40), st.integers(0, 1000))
def test_as_many_positions_as_strata_have_one_block_of_each(strata, size, first):
    order = cut(strata * size, strata)
    first %= strata * (size - 1)

    _, blocks = order.at(first, strata)

    assert sorted((blocks // size).tolist()) == list(range(strata))


@given(st.integers(2, 400))
def test_a_stride_leads_through_all_strata(strata):
    _, stride = strata_of(1000, strata)

    assert len({turn * stride % strata for turn in range(strata)}) == strata


def block_lengths(count=20_000):
    """Lengths as those of lines: most are short, a few fill a block of 128."""
    dice = np.random.default_rng(0)
    return np.clip(dice.lognormal(3, 0.7, count).astype(np.uint32) + 2, 3, 128)


@pytest.mark.parametrize(("blocks", "narrower"), [(30, 4), (200, 10), (2000, 20)])
def test_steps_of_a_stratified_order_hold_nearly_the_same_number_of_tokens(blocks, narrower):
    lengths_B = block_lengths()
    spreads = []
    for order in (Shuffled(0, len(lengths_B)), Stratified.of(0, lengths_B, blocks)):
        _, block_N = order.at(0, 3 * len(lengths_B) // blocks * blocks)
        tokens = lengths_B[block_N].astype(np.int64).reshape(-1, blocks).sum(axis=1)
        spreads.append(tokens.std() / tokens.mean())

    assert spreads[0] > narrower * spreads[1]


def test_strata_are_shuffled_anew_in_each_epoch_and_for_each_seed():
    lengths_B = block_lengths(1000)
    first, second = (Stratified.of(0, lengths_B, 20).at(1000 * epoch, 1000)[1] for epoch in (0, 1))
    _, other = Stratified.of(1, lengths_B, 20).at(0, 1000)

    for numbers in (second, other):
        assert (first == numbers).mean() < 0.1


def test_any_block_of_a_stratum_can_come_first():
    """Small networks permute well enough: each of 8 blocks leads an eighth of the epochs."""
    epochs = 1000
    order = cut(8, 1)

    first = [int(order.at(8 * epoch, 1)[1][0]) for epoch in range(epochs)]

    shares = np.bincount(first, minlength=8) / epochs
    assert abs(shares - 1 / 8).max() < 4.5 * np.sqrt(1 / 8 * 7 / 8 / epochs)


def test_few_blocks_have_fewer_strata_than_asked_for():
    order = Stratified.of(0, np.array([5, 3, 9] * 8), strata=100)

    assert len(order.first_S) - 1 == 3
    assert order.count == 24


class Ranks:
    """Block numbers that are their ranks, of more blocks than fit into memory."""

    def __getitem__(self, rank_N):
        return rank_N


@pytest.mark.parametrize("count", [2**40, 2**40 - 12_345])
def test_a_position_far_ahead_of_a_huge_plan_is_computed_by_itself(count):
    """Nothing is made per block: a plan of 2**40 blocks would not fit into memory."""
    stratified = Stratified(0, Ranks(), *strata_of(count, 4096))

    for order in (Shuffled(0, count), stratified):
        for first in (10**9, 10**9 + 3 * count):
            epochs, blocks = order.at(first, 16)
            assert set(epochs.tolist()) == {first // count}
            assert len(set(blocks.tolist())) == 16
            assert ((blocks >= 0) & (blocks < count)).all()
            assert blocks[5] == order.at(first + 5, 1)[1][0]


def test_the_stratified_order_is_the_same_in_every_version():
    _, blocks = cut(1000, 7).at(1000, 8)
    _, far = Stratified(7, Ranks(), *strata_of(10**12, 5)).at(10**9, 3)

    assert blocks.tolist() == [91, 654, 165, 822, 398, 951, 519, 42]
    assert far.tolist() == [6130566027, 618133927495, 292649174389]
