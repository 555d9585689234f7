import json

import pytest

from unmask.core.errors import UserError
from unmask.finetune.choice import commonsense

STEM = "Where would I not want a fox?"
TEXTS = ["hen house", "England", "forest"]
HUB = {
    "id": "1",
    "question": STEM,
    "choices": {"label": ["A", "B", "C"], "text": TEXTS},
    "answerKey": "B",
}
CHOICES = [{"label": label, "text": text} for label, text in zip("ABC", TEXTS, strict=True)]
OFFICIAL = {"id": "1", "question": {"stem": STEM, "choices": CHOICES}, "answerKey": "B"}


def written(tmp_path, *records):
    path = tmp_path / "dev_rand_split.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.mark.parametrize("record", [HUB, OFFICIAL])
def test_both_forms_give_the_same_question(tmp_path, record):
    written(tmp_path, record)

    (question,) = commonsense.read(commonsense.find(tmp_path, "dev"))

    assert (question.id, question.question, question.passage) == ("1", STEM, "")
    assert question.options == tuple(TEXTS)
    assert question.gold == 1


def test_labels_may_be_numbers_as_some_of_arcs_are(tmp_path):
    choices = {"label": ["1", "2", "3"], "text": TEXTS}
    path = written(tmp_path, HUB | {"choices": choices, "answerKey": "3"})

    assert commonsense.read(path)[0].gold == 2


@pytest.mark.parametrize("told", [{}, {"answerKey": ""}, {"answerKey": None}])
def test_a_question_without_its_answer_has_no_gold(tmp_path, told):
    record = {key: value for key, value in HUB.items() if key != "answerKey"} | told

    assert commonsense.read(written(tmp_path, record))[0].gold is None


def test_the_split_is_found_by_its_official_name_or_its_own(tmp_path):
    (tmp_path / "test_rand_split_no_answers.jsonl").touch()
    (tmp_path / "train.jsonl.gz").touch()

    test = commonsense.find(tmp_path, "test")
    assert test.name == "test_rand_split_no_answers.jsonl"
    assert commonsense.find(tmp_path, "train").name == "train.jsonl.gz"
    with pytest.raises(UserError, match=r"has no dev_rand_split\.\*"):
        commonsense.find(tmp_path, "dev")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (HUB | {"answerKey": "D"}, "row 1: the answer 'D' is none of the labels A, B, C"),
        (OFFICIAL | {"answerKey": 1}, "row 1: the answer 1 is none of the labels A, B, C"),
        (
            HUB | {"choices": {"label": ["B", "B", "C"], "text": TEXTS}},
            "row 1: the answer 'B' is more than one of the labels B, B, C",
        ),
        (HUB | {"choices": {"label": ["A"], "text": TEXTS}}, "row 1: 1 labels for 3 options"),
        (
            HUB | {"choices": {"label": ["A", "B", "C"], "text": ["x", "", "z"]}},
            "row 1: option 2 is empty",
        ),
        (HUB | {"choices": TEXTS}, "row 1: 'choices' is list, not a JSON object"),
        (OFFICIAL | {"question": {"stem": STEM, "choices": TEXTS}}, "row 1: choice 1 is no JSON"),
        (OFFICIAL | {"question": {"choices": CHOICES}}, "row 1: no 'stem'; there is 'choices'"),
        (
            OFFICIAL | {"question": {"stem": STEM, "choices": [{"label": "A"}] * 2}},
            "row 1: no 'text'; there is 'label'",
        ),
        (HUB | {"question": ""}, "row 1: 'question' is empty"),
    ],
)
def test_a_bad_question_says_where_and_why(tmp_path, record, said):
    path = written(tmp_path, record)

    with pytest.raises(UserError) as caught:
        commonsense.read(path)

    assert said in caught.value.what
    assert str(path) in caught.value.what


def test_the_official_file_has_the_official_number(shared_data):
    questions = commonsense.read(commonsense.find(shared_data / "commonsenseqa", "dev"))

    assert len(questions) == 1221
    assert {len(question.options) for question in questions} == {5}
    assert {question.gold for question in questions} == {0, 1, 2, 3, 4}
