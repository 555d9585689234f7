"""Which examples a step holds, and how they are shared and cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.finetune.batches import Batches, steps_of
from unmask.finetune.examples import Examples

from .conftest import maker, sequences


def batches(count=60, *, batch=8, most_tokens=200, each=1, seed=0, **lengths):
    """Batches whose targets are the numbers of the examples."""
    examples = Examples(sequences(count * each, **lengths), np.arange(count), each)
    return Batches.of(examples, maker("bert"), seed, batch=batch, most_tokens=most_tokens)


def numbers(parts):
    return [number for part in parts for number in part.targets.tolist()]


def step_of(data, step, ranks=1):
    return [data.at(step, rank=rank, ranks=ranks) for rank in range(ranks)]


@pytest.mark.parametrize(
    ("count", "batch"), [(1, 1), (7, 1), (5, 8), (100, 8), (96, 8), (61, 60), (64, 64), (33, 2)]
)
def test_each_example_comes_once_an_epoch(count, batch):
    """Whatever the steps: an epoch may end within one."""
    data, epochs = batches(count, batch=batch), 3
    whole_steps = -(-count * epochs // batch)

    seen = []
    for step in range(whole_steps):
        _, index_S = data.order.at(step * batch, batch)
        assert sorted(numbers(data.at(step))) == sorted(index_S.tolist())
        seen += index_S.tolist()

    for epoch in range(epochs):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == list(range(count))
    if count > 20:
        assert seen[:count] != seen[count : 2 * count]


def test_a_step_is_a_pure_function_of_its_number():
    one, other, another_seed = batches(), batches(), batches(seed=1)

    there = [numbers(one.at(step)) for step in range(12)]
    back = [numbers(other.at(step)) for step in reversed(range(12))]

    assert there == back[::-1]
    assert there != [numbers(another_seed.at(step)) for step in range(12)]


@given(
    batch=st.integers(1, 24),
    ranks=st.integers(1, 4),
    most_tokens=st.integers(8, 400),
    each=st.integers(1, 3),
    step=st.integers(0, 40),
)
def test_processes_part_a_step_exactly_and_keep_in_step(batch, ranks, most_tokens, each, step):
    data = batches(batch=batch, most_tokens=most_tokens, each=each)
    _, index_S = data.order.at(step * batch, batch)
    try:
        shares = step_of(data, step, ranks)
    except UserError:
        assert batch % ranks
        return

    assert sorted(n for share in shares for n in numbers(share)) == sorted(index_S.tolist())
    assert len({len(share) for share in shares}) == 1
    found = [part.number for share in shares for part in share]
    assert sorted(found) == list(range(len(found)))
    counts = [sum(part.examples for part in share) for share in shares]
    assert max(counts) - min(counts) <= 1
    for part in (part for share in shares for part in share):
        assert part.examples == len(part.targets)
        assert len(part.inputs.ids_BL) == part.examples * each
        assert part.tokens == data.examples.lengths_N[part.targets.numpy()].sum()
        assert part.inputs.ids_BL.numel() <= most_tokens or part.examples == 1


@pytest.mark.parametrize("ranks", [2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_processes_have_nearly_as_many_tokens_to_compute(ranks, seed):
    """In a step they differ by less than the longest example, and over many by almost nothing."""
    data, totals = batches(300, batch=24, seed=seed, most=30), np.zeros(ranks)
    for step in range(30):
        tokens = [sum(part.tokens for part in share) for share in step_of(data, step, ranks)]
        assert max(tokens) - min(tokens) < 30
        totals += tokens
    assert totals.max() < 1.01 * totals.min()


def test_a_part_holds_examples_of_nearly_one_length():
    data = batches(2000, batch=64, most_tokens=300, most=30)
    parts = [part for step in range(30) for part in data.at(step)]

    places = sum(part.inputs.ids_BL.numel() for part in parts)

    assert sum(part.tokens for part in parts) > 0.85 * places


def test_steps_hold_nearly_as_many_tokens():
    data = batches(2000, batch=32, most=30)

    tokens = [sum(part.tokens for part in data.at(step)) for step in range(60)]

    assert max(tokens) < 1.1 * min(tokens)


def test_an_example_that_is_longer_than_a_part_is_one_by_itself():
    parts = batches(batch=8, most_tokens=10, least=12).at(0)

    assert [part.examples for part in parts] == [1] * 8


@pytest.mark.parametrize(("batch", "ranks"), [(1, 2), (3, 4)])
def test_more_processes_than_examples_are_told_so(batch, ranks):
    with pytest.raises(UserError) as caught:
        step_of(batches(batch=batch), 0, ranks)

    assert caught.value.what == (
        f"--batch {batch}: a step's examples cannot be shared by {ranks} processes"
    )
    assert "a multiple of the processes" in caught.value.hint


@pytest.mark.parametrize("ranks", [2, 4])
def test_a_batch_that_is_a_multiple_of_the_processes_is_always_shared(ranks):
    """However it must be cut: nobody is left without an example."""
    data = batches(200, batch=8, most_tokens=26, most=26)

    for step in range(50):
        assert len({len(share) for share in step_of(data, step, ranks)}) == 1


@pytest.mark.parametrize(
    ("examples", "epochs", "batch", "expected"),
    [(100, 10, 32, 32), (100, 1, 100, 1), (5, 1, 32, 1), (64, 2.5, 32, 5), (3, 0.1, 2, 1)],
)
def test_steps_are_the_epochs_asked_for(examples, epochs, batch, expected):
    assert steps_of(examples, epochs=epochs, batch=batch) == expected
