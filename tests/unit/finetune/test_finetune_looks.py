from hypothesis import given
from hypothesis import strategies as st

from unmask.finetune.looks import Looks

SIZE = st.integers(1, 70)


@given(examples=SIZE, batch=SIZE, total=SIZE)
def test_dev_is_looked_at_when_all_examples_were_seen_once_more_and_at_the_end(
    examples, batch, total
):
    plan = Looks(None, examples, batch, total)
    seen = [step * batch // examples for step in range(total + 1)]
    due = [n for n in range(1, total + 1) if seen[n] > seen[n - 1] or n == total]

    assert [step for step in range(1, total + 1) if plan.due(step)] == due
    assert plan.count == len(due)


@given(every=SIZE, total=SIZE)
def test_or_every_so_many_steps_and_at_the_end(every, total):
    plan = Looks(every, 10, 3, total)

    due = [step for step in range(1, total + 1) if plan.due(step)]

    assert due == sorted({*range(every, total + 1, every), total})
    assert plan.count == len(due)


def test_epochs_are_whole_where_one_has_just_ended():
    plan = Looks(None, examples=10, batch=4, total=9)

    assert [plan.epochs(step) for step in range(1, 6)] == [0.4, 0.8, 1, 1.6, 2]
