"""The search goes up to the least share in 8 bits, and takes nothing for held that is no number."""

import math

import pytest

from unmask.core.errors import UserError
from unmask.export.int8.plan import Quantised
from unmask.export.int8.search import Limits, search

LAYERS = ["a", "b", "c", "d", "e", "f"]
PLAN = dict.fromkeys(LAYERS, Quantised(0.1))
WORKS = dict(zip(LAYERS, (4, 4, 4, 4, 4, 4), strict=True))


def found(needed, least_share):
    def drop_of(plan):
        return 0.1 if len(plan) <= len(LAYERS) - needed else 5.0

    return search(PLAN, LAYERS, WORKS, drop_of, Limits(0.3, least_share, "f1"))


def test_as_many_layers_go_back_as_the_least_share_leaves():
    """Three of six: between two, which do not hold, and four, which are too many."""
    assert found(3, 0.5).put_back == ("a", "b", "c")
    assert found(3, 0.5).share == 0.5


def test_no_layer_more_goes_back():
    with pytest.raises(UserError, match="even with its 3 worst layers put back"):
        found(4, 0.5)
    assert found(4, 0.3).put_back == ("a", "b", "c", "d")


def test_a_drop_that_is_no_number_does_not_hold():
    with pytest.raises(UserError, match="loses nan points of f1"):
        search(PLAN, LAYERS, WORKS, lambda _: math.nan, Limits(0.3, 0.5, "f1"))
