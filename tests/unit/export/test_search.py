"""The fewest of the worst layers are put back."""

import pytest

from unmask.core.errors import UserError
from unmask.export.int8.plan import Quantised
from unmask.export.int8.search import Limits, search

LAYERS = [f"layer{number}" for number in range(16)]
PLAN = dict.fromkeys(LAYERS, Quantised(0.1))
WORKS = dict.fromkeys(LAYERS, 10)


def found(needed, *, max_drop=0.3, least_share=0.5):
    """Search where the score holds once so many of the worst layers are put back."""
    trials = []

    def drop_of(plan):
        trials.append(16 - len(plan))
        return 0.1 if len(plan) <= 16 - needed else 5.0

    return search(PLAN, LAYERS, WORKS, drop_of, Limits(max_drop, least_share, "f1")), trials


@pytest.mark.parametrize("needed", range(9))
def test_no_more_layers_than_needed_go_back(needed):
    result, trials = found(needed)

    assert result.put_back == tuple(LAYERS[:needed])
    assert set(result.plan) == set(LAYERS[needed:])
    assert result.share == pytest.approx(1 - needed / 16)
    assert result.drop == 0.1
    assert len(trials) == len(set(trials)) <= 8


def test_a_drop_as_large_as_allowed_holds():
    result, trials = found(3, max_drop=5.0)

    assert (result.put_back, trials) == ((), [0])


@pytest.mark.parametrize("needed", [9, 16])
def test_a_score_that_holds_only_with_less_in_8_bits_fails(needed):
    with pytest.raises(
        UserError, match=r"loses 5\.00 points of f1 even with its 8 worst"
    ) as caught:
        found(needed)

    assert "--max-drop 0.3; nothing was written" in caught.value.what
    assert "--precision bf16" in caught.value.hint


def test_layers_count_by_their_work():
    works = WORKS | {"layer0": 1000}
    with pytest.raises(UserError, match="even with its 0 worst"):
        search(PLAN, LAYERS, works, lambda _: 5.0, Limits(0.3, 0.5, "f1"))
