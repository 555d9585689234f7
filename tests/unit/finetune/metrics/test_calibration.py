import dataclasses
import json

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.metrics.calibration import calibration


def test_a_classifier_that_means_what_it_says_has_no_error():
    probability_NC = np.tile([0.8, 0.2], (5, 1))

    found = calibration(probability_NC, [0, 0, 0, 0, 1])

    assert found.ece == pytest.approx(0, abs=1e-12)
    assert found.brier == pytest.approx((4 * 0.08 + 1.28) / 5)


def test_a_sure_classifier_that_errs_has_the_error_of_its_errors():
    found = calibration(np.array([[1.0, 0.0], [1.0, 0.0]], np.float32), [0, 1])

    assert (found.ece, found.brier) == (0.5, 1)
    assert [dataclasses.astuple(one) for one in found.bins] == [(14 / 15, 1, 2, 1, 0.5)]


def test_bins_hold_their_upper_edge_and_every_example():
    probability_NC = np.array([[0.5, 0.5], [0.75, 0.25], [0.2, 0.8], [1.0, 0.0]])

    found = calibration(probability_NC, [0, 0, 1, 0], bins=4)

    assert [(one.lower, one.upper, one.count) for one in found.bins] == [
        (0.25, 0.5, 1),
        (0.5, 0.75, 1),
        (0.75, 1.0, 2),
    ]


def test_probabilities_of_float32_may_be_a_little_above_one():
    found = calibration(np.array([[1.0000001, 0.0]], np.float32), [0])

    assert found.bins[0].upper == 1


def test_calibration_goes_to_json():
    found = dataclasses.asdict(calibration(np.array([[0.3, 0.7]], np.float32), np.array([1])))

    assert json.loads(json.dumps(found)) == {**found, "bins": list(found["bins"])}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[0.5, 0.5], [float("nan"), 0.5]], "1 of 2 rows are no probabilities.* example 2, .* nan"),
        ([[3.0, -2.0]], "1 of 1 rows are no probabilities"),
        ([[2.0, 1.0]], "sums to 3"),
        (np.zeros((0, 2)), "no examples to score"),
    ],
)
def test_what_is_no_probability_is_refused(rows, said):
    with pytest.raises(UserError, match=said):
        calibration(np.array(rows), [0] * len(rows))
