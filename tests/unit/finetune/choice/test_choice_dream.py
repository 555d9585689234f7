import json

import pytest

from unmask.core.errors import UserError
from unmask.finetune.choice import dream

ASKED = {"question": "Who?", "choice": ["Ann", "Ben", "Cy"], "answer": "Ben"}


def written(tmp_path, dialogues):
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(dialogues), encoding="utf-8")
    return path


def test_a_dialogue_becomes_one_passage_and_its_questions(tmp_path):
    other = {"question": "What?", "choice": ["x", "y", "z"]}
    path = written(tmp_path, [[["M: Hi.", "W: Hello!"], [ASKED, other], "14-349"]])

    first, second = dream.read(dream.find(tmp_path, "dev"))

    assert first.passage == second.passage == "M: Hi. W: Hello!"
    assert (first.id, second.id) == ("14-349-0", "14-349-1")
    assert first.options == ("Ann", "Ben", "Cy")
    assert (first.gold, second.gold) == (1, None)
    assert second.place == f"{path}: dialogue 1: question 2"


@pytest.mark.parametrize(
    ("dialogue", "said"),
    [
        ([["x"], [ASKED | {"answer": "Di"}], "1"], "the answer 'Di' is none of the options"),
        ([["x"], [ASKED | {"answer": 1}], "1"], "the answer 1 is none of the options"),
        (
            [["x"], [ASKED | {"choice": ["Ben", "Ben", "Cy"]}], "1"],
            "dialogue 1: question 1: the answer 'Ben' is 2 of the options",
        ),
        ([["x"], [ASKED | {"choice": ["Ben", "", "Cy"]}], "1"], "question 1: option 2 is empty"),
        ([["x"], ["Who?"], "1"], "dialogue 1: question 1: not a JSON object"),
        ([[], [ASKED], "1"], "dialogue 1: its text is empty"),
        ([[3, None], [ASKED], "1"], "dialogue 1: a line of it is empty"),
        ([["x"], [ASKED]], "dialogue 1: not of the form of DREAM"),
        ({"x": 1}, "dialogue 1: not of the form of DREAM"),
    ],
)
def test_a_bad_dialogue_says_where_and_why(tmp_path, dialogue, said):
    path = written(tmp_path, [dialogue])

    with pytest.raises(UserError) as caught:
        dream.read(path)

    assert said in caught.value.what
    assert str(path) in caught.value.what


def test_a_file_that_is_no_list_of_dialogues_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"dev\.json: it is dict, not a list"):
        dream.read(written(tmp_path, {}))
    with pytest.raises(UserError, match="has no questions"):
        dream.read(written(tmp_path, []))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("dev.json", b"[", "no JSON"),
        ("dev.json", b"[" * 100_000, "no JSON"),
        ("dev.json", b'["\xff"]', "not UTF-8"),
        ("dev.json.gz", b"[]", "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UserError) as caught:
        dream.read(tmp_path / name)

    assert said in caught.value.what
    assert name in caught.value.what


def test_a_file_that_is_missing_or_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        dream.read(tmp_path / "dev.json")
    with pytest.raises(UserError, match="a folder, not a file"):
        dream.read(tmp_path)


@pytest.mark.parametrize(("split", "count"), [("train", 6116), ("dev", 2040), ("test", 2041)])
def test_official_files_have_the_official_numbers(shared_data, split, count):
    questions = dream.read(dream.find(shared_data / "dream", split))

    assert len(questions) == count
    assert {len(question.options) for question in questions} == {3}
    assert {question.gold for question in questions} == {0, 1, 2}
