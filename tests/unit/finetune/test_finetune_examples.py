"""Examples of one sequence, of several, and with a target a token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.finetune.examples import Examples
from unmask.finetune.inputs import tokens_of

from .conftest import sequences


@given(count=st.integers(1, 12), each=st.integers(1, 5), data=st.data())
def test_an_example_is_as_many_sequences_in_a_row(count, each, data):
    some = sequences(count * each)
    examples = Examples(some, np.arange(count), each)
    number = st.integers(0, count - 1)
    index_B = np.array(data.draw(st.lists(number, min_size=1, max_size=6)))

    expected = [index * each + choice for index in index_B for choice in range(each)]

    assert len(examples) == count
    assert examples.sequences_of(index_B).tolist() == expected
    assert examples.targets_of(index_B).tolist() == index_B.tolist()
    lengths = some.lengths_N.tolist()
    assert examples.lengths_N.tolist() == [
        sum(lengths[n * each : (n + 1) * each]) for n in range(count)
    ]


@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_target_may_be_a_row(shape):
    targets = np.random.default_rng(0).random((7, *shape))

    found = Examples(sequences(7), targets).targets_of(np.array([5, 0, 5]))

    assert found.shape == (3, *shape)
    np.testing.assert_array_equal(found, targets[[5, 0, 5]])


@pytest.mark.parametrize("each", [1, 3])
def test_targets_of_tokens_come_in_the_order_of_the_tokens(each):
    some = sequences(12)
    examples = Examples(some, some.ids_T.astype(np.int64) * 10, each, by_token=True)
    index_B = np.array([3, 0, 2])

    found = examples.targets_of(index_B)

    token_T = tokens_of(some, examples.sequences_of(index_B))
    assert found.tolist() == (some.ids_T[token_T] * 10).tolist()
    assert len(found) == examples.lengths_N[index_B].sum()
