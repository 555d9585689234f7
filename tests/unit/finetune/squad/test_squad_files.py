import json

import pytest

from unmask.finetune.squad import files
from unmask.finetune.squad.answers import Answer, Span

SURE = Answer(
    "q1", (Span("猫", 0, 1, 2.0, 1.0), Span("猫猫", 0, 2, 1.0, 1.0)), Span("", 0, 0, 0.5, 0.5)
)
UNSURE = Answer("q2", (Span("b", 2, 3, 1.0, 0.0),), Span("", 0, 0, 2.0, 1.0))


def read(folder):
    return {path.name: json.loads(path.read_text("utf-8")) for path in folder.iterdir()}


def test_answers_are_written_by_id_with_their_candidates(tmp_path):
    files.write(tmp_path, [SURE, UNSURE])

    written = read(tmp_path)
    assert written.keys() == {"predictions.json", "nbest_predictions.json"}
    assert written["predictions.json"] == {"q1": "猫", "q2": "b"}
    first, second = written["nbest_predictions.json"]["q1"]
    assert first == {
        "text": "猫",
        "probability": pytest.approx(0.7310586),
        "start_logit": 2.0,
        "end_logit": 1.0,
    }
    assert second["text"] == "猫猫"
    assert written["nbest_predictions.json"]["q2"][0]["probability"] == 1


def test_no_answer_is_written_as_the_empty_text_with_its_odds(tmp_path):
    files.write_or_none(tmp_path, [SURE, UNSURE], na_threshold=1.5)

    written = read(tmp_path)
    assert written["predictions.json"] == {"q1": "猫", "q2": ""}
    assert written["null_odds.json"] == {"q1": -2.0, "q2": 2.0}
    candidates = written["nbest_predictions.json"]
    assert [one["text"] for one in candidates["q1"]] == ["猫", "猫猫", ""]
    assert [one["text"] for one in candidates["q2"]] == ["", "b"]
    for listed in candidates.values():
        assert sum(one["probability"] for one in listed) == pytest.approx(1)


def test_the_threshold_decides_what_is_predicted_and_nothing_else(tmp_path):
    for threshold in (1.5, 2.0):
        (tmp_path / str(threshold)).mkdir()
        files.write_or_none(tmp_path / str(threshold), [SURE, UNSURE], na_threshold=threshold)

    low, high = read(tmp_path / "1.5"), read(tmp_path / "2.0")
    assert high.pop("predictions.json")["q2"] == "b"
    low.pop("predictions.json")
    assert low == high
