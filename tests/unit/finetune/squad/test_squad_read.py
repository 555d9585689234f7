import gzip
import json

import pytest

from unmask.core.errors import UserError
from unmask.finetune.squad import read

CONTEXT = "北京是中国的首都。It lies in the north."
GOOD = {"id": "a", "question": "首都?", "answers": [{"text": "北京", "answer_start": 0}]}
IMPOSSIBLE = {"id": "b", "question": "Where?", "answers": [], "is_impossible": True}


def squad(*questions, context=CONTEXT):
    return {"version": "1", "data": [{"paragraphs": [{"context": context, "qas": questions}]}]}


def written(tmp_path, value):
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def answer(**changes):
    return GOOD | {"answers": [GOOD["answers"][0] | changes]}


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.json", bytes),
        ("a.json.gz", gzip.compress),
        ("a.json", lambda content: b"\xef\xbb\xbf" + content),
    ],
)
def test_questions_are_read_with_their_answers(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(json.dumps(squad(GOOD, IMPOSSIBLE)).encode()))

    first, second = read.read(tmp_path / name)

    assert (first.id, first.question, first.context) == ("a", "首都?", CONTEXT)
    assert first.references == (read.Reference("北京", 0),)
    assert first.references[0].end == 2
    assert [first.impossible, second.impossible] == [False, True]
    assert second.place == f"{tmp_path / name}: question 'b'"


def test_questions_know_the_title_of_their_article(tmp_path):
    value = squad(GOOD)
    value["data"][0]["title"] = "Peking"
    value["data"] += squad(IMPOSSIBLE)["data"]

    assert [one.article for one in read.read(written(tmp_path, value))] == ["Peking", ""]


def test_ids_may_be_numbers_and_become_text(tmp_path):
    assert read.read(written(tmp_path, squad(GOOD | {"id": 7})))[0].id == "7"


def test_a_question_without_answers_is_impossible_though_nothing_says_so(tmp_path):
    question = {key: IMPOSSIBLE[key] for key in ("id", "question", "answers")}

    assert read.read(written(tmp_path, squad(question)))[0].impossible


def test_questions_to_be_answered_need_no_answers(tmp_path):
    bare = {"id": "c", "question": "Who?"}
    path = written(tmp_path, squad(answer(answer_start=99), bare))

    assert [question.references for question in read.read_unanswered(path)] == [(), ()]
    with pytest.raises(UserError, match="question 'c': has no 'answers'"):
        read.read(path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "has no 'data'"),
        ({"data": {}}, "'data' is {}, not a list"),
        ({"data": [{"paragraphs": [], "title": 3}]}, "'title' is 3, not a text"),
        ({"data": [{}]}, r"data\[0\]: has no 'paragraphs'"),
        (squad(), "has no questions"),
        ({"data": [{"paragraphs": [{"qas": [GOOD]}]}]}, r"paragraphs\[0\]: has no 'context'"),
        (squad(GOOD, context=" \n"), "'context' is empty"),
        (squad({"question": "x"}), r"paragraphs\[0\].qas: has no 'id'"),
        (squad({"id": "a", "answers": []}), "question 'a': has no 'question'"),
        (squad(GOOD | {"question": " "}), "question 'a': 'question' is empty"),
        (squad(GOOD | {"question": "\ud800"}), "question 'a': 'question' is no Unicode text"),
        (squad({"id": "a", "question": "x"}), "question 'a': has no 'answers'"),
        (squad(GOOD | {"answers": ["北京"]}), "question 'a': has no 'text'"),
        (squad(answer(text="")), "question 'a': 'text' is empty"),
        (squad(answer(answer_start="0")), "'answer_start' is \"0\", not a whole number"),
        (squad(answer(answer_start=True)), "'answer_start' is true, not a whole number"),
        (squad(GOOD, GOOD), "question 'a': comes twice"),
        (squad(GOOD | {"is_impossible": True}), "'a': is_impossible, yet it has 1 answers"),
        (squad(IMPOSSIBLE | {"is_impossible": False}), "'b': has no answers, yet is_impossible"),
        (
            squad(answer(answer_start=1), answer() | {"id": "b"}),
            "'a': answer '北京' at answer_start 1, but '京是' stands there; "
            "so it is with 1 of 2 answers of dev.json",
        ),
        (squad(answer(answer_start=-2)), "answer_start -2, but the context has 30 characters"),
        (squad(answer(text="th.", answer_start=-3)), "answer_start -3, but the context has 30"),
        (squad(answer(answer_start=30)), "answer_start 30, but the context has 30 characters"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, value, said):
    path = written(tmp_path, value)

    with pytest.raises(UserError, match=said) as error:
        read.read(path)

    assert str(path) in error.value.what
    assert error.value.hint


@pytest.mark.parametrize(
    ("text", "start", "hint"),
    [
        ("th", 25, "the text stands at 27"),
        ("th", 21, "the text stands at 20"),
        ("Bonn", 0, "this text stands nowhere in the context"),
    ],
)
def test_the_hint_to_a_misplaced_answer_says_where_it_stands(tmp_path, text, start, hint):
    path = written(tmp_path, squad(answer(text=text, answer_start=start)))

    with pytest.raises(UserError) as error:
        read.read(path)

    assert error.value.hint.endswith(hint)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b"{", "no JSON"),
        ("a.json", b"\xff", "not UTF-8"),
        ("a.json.gz", b"no gzip", "damaged"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UserError, match=said):
        read.read(tmp_path / name)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read.read(tmp_path / "none.json")
    with pytest.raises(UserError, match="a folder"):
        read.read(tmp_path)
