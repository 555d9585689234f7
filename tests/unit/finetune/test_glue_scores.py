import pytest
from scipy import stats
from sklearn import metrics

from unmask.finetune.glue.scores import class_scores, number_scores, of_files
from unmask.finetune.glue.tasks import TASKS, task

GOLD, PREDICTED = [0, 1, 1, 0, 1, 1, 0, 1], [0, 1, 0, 1, 1, 1, 0, 1]


@pytest.mark.parametrize("one", [one for one in TASKS if one.labels], ids=lambda one: one.name)
def test_classes_are_scored_by_the_metrics_of_the_task(one):
    scores = class_scores(one, GOLD, PREDICTED)

    expected = {
        "accuracy": metrics.accuracy_score(GOLD, PREDICTED),
        "f1": metrics.f1_score(GOLD, PREDICTED, pos_label=1),
        "mcc": metrics.matthews_corrcoef(GOLD, PREDICTED),
    }
    assert tuple(scores) == one.metrics
    assert scores == pytest.approx({name: expected[name] for name in one.metrics})


def test_numbers_are_scored_by_both_correlations():
    gold, predicted = [0.0, 1.5, 3.0, 5.0, 2.0], [0.2, 1.0, 4.0, 4.5, 1.1]

    scores = number_scores(task("stsb"), gold, predicted)

    assert tuple(scores) == ("pearson", "spearmanr")
    assert scores["pearson"] == pytest.approx(stats.pearsonr(gold, predicted).statistic)
    assert scores["spearmanr"] == pytest.approx(stats.spearmanr(gold, predicted).statistic)


def test_the_scores_of_mnli_are_named_by_their_files():
    matched, mismatched = {"accuracy": 0.9}, {"accuracy": 0.8}

    joined = of_files({"dev_matched": matched, "dev_mismatched": mismatched})

    assert joined == {"accuracy_matched": 0.9, "accuracy_mismatched": 0.8}
    assert next(iter(joined)) == "accuracy_matched"
    assert of_files({"dev": {"mcc": 0.5}}) == {"mcc": 0.5}
