import json

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.report.finetuning import answers

from .conftest import BINS, CONFUSION, DETAILS, LABELS


def read(tmp_path, table):
    (tmp_path / "dev.json").write_text(table if isinstance(table, str) else json.dumps(table))
    return answers.read(tmp_path)


def test_what_the_judge_told_is_read_and_what_is_unknown_is_ignored(tmp_path):
    found = read(tmp_path, DETAILS)

    assert found.labels == tuple(LABELS)
    assert found.confusion_CC.tolist() == CONFUSION
    assert found.per_label["good"]["recall"] == 1.0
    assert [one.count for one in found.calibration.bins] == [one["count"] for one in BINS]
    assert len(found.gold_N) == 0


def test_what_the_judges_write_is_what_is_read(tmp_path):
    from unmask.core import files
    from unmask.finetune.sentences.judges import ClassJudge, NumberJudge, SeveralJudge

    rng = np.random.default_rng(1)
    logits_NC, gold_N = rng.normal(size=(50, 3)).astype(np.float32), rng.integers(0, 3, 50)
    judges = (
        ClassJudge(gold_N, ("a", "b", "c"), (0, 1, 2)),
        SeveralJudge(np.eye(3, dtype=np.bool_)[gold_N], ("a", "b", "c")),
        NumberJudge(gold_N.astype(np.float32)),
    )
    found = []
    for judge in judges:
        files.write_json(tmp_path / "dev.json", judge.details(logits_NC))
        found.append(answers.read(tmp_path))

    one, several, number = found
    assert one.confusion_CC.sum() == 50
    assert sum(part.count for part in one.calibration.bins) == 50
    assert list(several.per_label) == ["a", "b", "c"]
    assert several.confusion_CC is None
    assert number.gold_N.tolist() == gold_N.tolist()
    assert number.predicted_N == pytest.approx(logits_NC[:, 0], abs=1e-4)


def test_a_training_that_goes_on_has_none(tmp_path):
    assert answers.read(tmp_path) is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("{", "JSONDecodeError"),
        ("[1]", "AttributeError"),
        (DETAILS | {"confusion": [[1, 2]]}, "shape (1, 2) for 3 labels"),
        (DETAILS | {"confusion": [["a"]]}, "ValueError"),
        (DETAILS | {"calibration": {"bins": []}}, "KeyError"),
        (DETAILS | {"per_class": {"bad": 0.5}}, "AttributeError"),
        ({"gold": [1.0], "predicted": []}, "1 gold numbers, 0 predicted ones"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, table, words):
    with pytest.raises(UserError) as caught:
        read(tmp_path, table)

    assert str(tmp_path / "dev.json") in caught.value.what
    assert words in caught.value.what
    assert "fine-tune again" in caught.value.hint


@pytest.mark.parametrize("calibration", [{"ece": float("nan")}, {"bins": []}])
def test_a_calibration_of_nothing_is_none(tmp_path, calibration):
    table = {"calibration": DETAILS["calibration"] | calibration}

    assert read(tmp_path, table).calibration is None
