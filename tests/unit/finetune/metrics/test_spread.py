import dataclasses
import json

import numpy as np
import pytest

from unmask.core import hashing
from unmask.core.errors import UserError
from unmask.finetune.metrics.spread import paired_bootstrap, paired_bootstrap_of, spread


def test_one_run_says_nothing_about_others():
    found = spread([0.5])

    assert dataclasses.asdict(found) == {
        "runs": 1,
        "median": 0.5,
        "mean": 0.5,
        "minimum": 0.5,
        "maximum": 0.5,
        "low": None,
        "high": None,
    }


def test_runs_with_the_same_score_have_an_interval_of_one_point():
    found = spread([0.5, 0.5, 0.5])

    assert (found.low, found.high) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("scores", "said"),
    [([], "no runs to summarise"), ([0.5, float("nan")], "1 of 2 runs have no finite score")],
)
def test_what_cannot_be_summarised_is_refused(scores, said):
    with pytest.raises(UserError, match=said):
        spread(scores)


def test_equal_runs_do_not_differ():
    found = paired_bootstrap([1, 0, 1], [1, 0, 1])

    assert dataclasses.astuple(found) == (0, 0, 0, 1)


def test_a_run_that_is_better_everywhere_is_better():
    found = paired_bootstrap([1.0] * 50, [0.5] * 50)

    assert (found.difference, found.low, found.high) == (0.5, 0.5, 0.5)
    assert found.p_value < 0.001


def test_the_other_way_round_is_the_mirror_image():
    draw = np.random.default_rng(0)
    first_N, second_N = draw.random((2, 40))

    found, mirrored = paired_bootstrap(first_N, second_N), paired_bootstrap(second_N, first_N)

    assert (found.difference, found.low, found.high) == pytest.approx(
        (-mirrored.difference, -mirrored.high, -mirrored.low)
    )
    assert found.p_value == mirrored.p_value


def test_a_seed_always_gives_the_same_draws_and_another_gives_others():
    draw = np.random.default_rng(0)
    first_N, second_N = draw.random((2, 40))

    found = paired_bootstrap(first_N, second_N)

    assert found == paired_bootstrap(first_N, second_N, seed=0)
    assert found.low != paired_bootstrap(first_N, second_N, seed=1).low


def test_draws_are_as_many_as_examples_and_with_replacement():
    draws = []

    def difference(chosen_N):
        draws.append(chosen_N)
        return 0.0

    paired_bootstrap_of(difference, 10, resamples=500)

    drawn = np.stack(draws[:500])
    assert drawn.shape == (500, 10)
    assert set(drawn.ravel().tolist()) == set(range(10))
    key = hashing.stream("paired bootstrap", 0)
    each_once = [hashing.draw_one(key, index) for index in range(500 * 10)]
    assert drawn.ravel().tolist() == [hashing.below(bits, 10) for bits in each_once]
    assert np.bincount(drawn.ravel()).std() < 4 * np.sqrt(500)
    assert draws[500].tolist() == list(range(10))


def test_any_score_can_be_compared():
    gold_N = np.array([0, 1] * 20)
    good_N, bad_N = gold_N, np.zeros(40, int)

    def difference(chosen_N):
        def recall(predicted_N):
            return float((predicted_N[chosen_N] & gold_N[chosen_N]).sum() / gold_N[chosen_N].sum())

        return recall(good_N) - recall(bad_N)

    found = paired_bootstrap_of(difference, 40, resamples=200)

    assert (found.difference, found.low, found.high) == (1, 1, 1)
    assert json.loads(json.dumps(dataclasses.asdict(found))) == dataclasses.asdict(found)


def test_no_examples_are_refused():
    with pytest.raises(UserError, match="no examples to score"):
        paired_bootstrap([], [])
