import pytest

from unmask.core.errors import UserError
from unmask.finetune.metrics.regression import regression


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ([1.0, 2.0, 3.0], [2.5, 2.5, 2.5]),
        ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 3.0], [1e6, 1e6 + 1e-9, 1e6]),
    ],
)
def test_what_is_constant_correlates_with_nothing_and_that_is_said(gold, predicted, capsys):
    scores = regression(gold, predicted)

    assert scores["pearson"] == scores["spearmanr"] == scores["combined"] == 0
    assert scores["mse"] > 0
    said = capsys.readouterr().err
    assert said.startswith(f"the correlations count as 0: gold values are {gold[0]:g} to ")


@pytest.mark.parametrize(
    ("gold", "predicted", "said"),
    [
        ([1.0, 2.0, 3.0], [1.0, float("nan"), float("inf")], "2 of 3 predictions are not finite"),
        ([float("nan"), 2.0], [1.0, 2.0], "1 of 2 gold values are not finite, the first of them"),
        ([1.0], [1.0], "1 example has no correlation"),
        ([], [], "no examples to score"),
    ],
)
def test_what_has_no_score_is_refused(gold, predicted, said):
    with pytest.raises(UserError, match=said):
        regression(gold, predicted)
