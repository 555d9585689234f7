from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.finetune.table import folds

FOLDS = st.integers(2, 7)
SEEDS = st.integers(0, 3)


@st.composite
def labelled(draw):
    count = draw(FOLDS)
    sizes = draw(st.lists(st.integers(count, 4 * count), min_size=1, max_size=4))
    labels = [name for name, size in zip("dacb", sizes, strict=False) for _ in range(size)]
    return draw(st.permutations(labels)), count


@given(labelled(), SEEDS)
def test_each_fold_has_its_share_of_every_class(data, seed):
    labels, count = data

    fold_N = folds.class_folds(labels, count, seed)

    assert set(fold_N.tolist()) == set(range(count))
    for rows in (labels, *([label] for label in set(labels))):
        held = Counter(
            fold for fold, label in zip(fold_N.tolist(), labels, strict=True) if label in rows
        )
        assert max(held.values()) - min(held[fold] for fold in range(count)) <= 1


@given(st.lists(st.integers(-50, 50), min_size=7, max_size=60, unique=True), FOLDS, SEEDS)
def test_each_fold_has_its_share_of_small_and_large_numbers(numbers, count, seed):
    fold_N = folds.number_folds(numbers, count, seed)

    by_value = fold_N[np.argsort(numbers)].tolist()
    whole = len(numbers) - len(numbers) % count
    for first in range(0, whole, count):
        assert sorted(by_value[first : first + count]) == list(range(count))
    assert len(set(by_value[whole:])) == len(numbers) - whole


def test_equal_numbers_are_dealt_to_all_folds():
    assert sorted(folds.number_folds([3.0] * 10, 5, 0).tolist()) == sorted([*range(5)] * 2)


@given(labelled(), SEEDS)
def test_every_row_is_for_dev_in_exactly_one_fold(data, seed):
    labels, count = data
    rows = list(range(len(labels)))
    fold_N = folds.class_folds(labels, count, seed)

    cut = [folds.parts(rows, fold_N, fold) for fold in range(count)]

    assert sorted(row for _, dev in cut for row in dev) == rows
    assert all(sorted(train + dev) == rows for train, dev in cut)
    assert all(train == sorted(train) and dev == sorted(dev) for train, dev in cut)


def test_folds_depend_on_rows_and_seed_alone():
    labels = list("ab" * 50)

    assert folds.class_folds(labels, 5, 1).tolist() == folds.class_folds(labels, 5, 1).tolist()
    assert folds.class_folds(labels, 5, 1).tolist() != folds.class_folds(labels, 5, 2).tolist()
    assert folds.class_folds(["a", "b", "b", "a", "a", "b"], 2, 0).tolist() == [1, 1, 0, 0, 0, 1]


def test_neighbours_in_the_table_are_not_dealt_in_turn():
    fold_N = folds.class_folds(["a"] * 100, 5, 0)

    assert fold_N.tolist() != (np.arange(100) % 5).tolist()


@pytest.mark.parametrize(
    ("call", "values", "count", "said"),
    [
        (folds.class_folds, ["a", "b"], 1, "1 folds: too few"),
        (folds.number_folds, [1.0, 2.0], 0, "0 folds: too few"),
        (folds.class_folds, list("aaabb"), 3, "3 folds: the label 'b' has only 2 rows"),
        (folds.number_folds, [1.0, 2.0], 3, "3 folds: only 2 rows"),
    ],
)
def test_folds_that_cannot_be_are_refused(call, values, count, said):
    with pytest.raises(UserError) as caught:
        call(values, count, 0)

    assert caught.value.what == said
