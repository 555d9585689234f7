import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmask.core.errors import UserError
from unmask.finetune.choice import table
from unmask.finetune.choice.table import ChoiceColumns

COPA = ChoiceColumns(
    options=("choice1", "choice2"), answers="from-0", passage="premise", question="asked", id="idx"
)
ROWS = [
    {"premise": "It rained.", "asked": "effect", "choice1": "wet", "choice2": "dry", "label": 0},
    {"premise": "漢字", "asked": "cause", "choice1": "a", "choice2": "b", "label": 1},
]
ROWS = [{"idx": 7 + number} | row for number, row in enumerate(ROWS)]


def separated(between):
    lines = [ROWS[0].keys(), *(row.values() for row in ROWS)]
    return "".join(between.join(map(str, line)) + "\n" for line in lines)


def write(path):
    match path.suffix:
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(ROWS), path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        case ".csv":
            path.write_text(separated(","), encoding="utf-8")
        case ".tsv":
            path.write_text(separated("\t"), encoding="utf-8")


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl", "a.parquet"])
def test_every_format_gives_the_same_questions(tmp_path, name):
    write(tmp_path / name)

    first, second = table.read(tmp_path / name, COPA)

    assert (first.id, first.passage, first.question) == ("7", "It rained.", "effect")
    assert first.options == ("wet", "dry")
    assert (first.gold, second.gold) == (0, 1)
    assert (second.passage, second.place) == ("漢字", f"{tmp_path / name}: row 2")
    assert [question.gold for question in table.read_texts(tmp_path / name, COPA)] == [None, None]


@pytest.mark.parametrize(
    ("answers", "label", "gold"),
    [
        ("from-0", "1", 1),
        ("from-0", 0, 0),
        ("from-1", "2", 1),
        ("from-1", 1, 0),
        ("letters", "B", 1),
        ("letters", "A", 0),
    ],
)
def test_answers_are_counted_as_the_columns_say(tmp_path, answers, label, gold):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"q": "x", "a": "y", "b": 3, "label": label}))

    (question,) = table.read(path, ChoiceColumns(options=("a", "b"), answers=answers, question="q"))

    assert question.gold == gold
    assert question.options == ("y", "3")
    assert (question.id, question.passage) == ("1", "")


@pytest.mark.parametrize(
    ("answers", "label", "said"),
    [
        ("from-0", 2, "row 1: the answer 2 is none of 0 to 1 (2 options)"),
        ("from-0", "-1", "the answer '-1' is none of 0 to 1"),
        ("from-0", "A", "the answer 'A' is none of 0 to 1"),
        ("from-0", True, "the answer True is none of 0 to 1"),
        ("from-0", None, "the answer None is none of 0 to 1"),
        ("from-1", 0, "the answer 0 is none of 1 to 2"),
        ("from-1", 1.5, "the answer 1.5 is none of 1 to 2"),
        ("letters", "C", "the answer 'C' is none of A to B"),
        ("letters", "AB", "the answer 'AB' is none of A to B"),
        ("letters", "", "the answer '' is none of A to B"),
        ("letters", 0, "the answer 0 is none of A to B"),
    ],
)
def test_an_answer_that_names_no_option_is_refused(tmp_path, answers, label, said):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"q": "x", "a": "y", "b": "z", "label": label}))

    with pytest.raises(UserError) as caught:
        table.read(path, ChoiceColumns(options=("a", "b"), answers=answers, question="q"))

    assert said in caught.value.what
    assert str(path) in caught.value.what


def test_one_column_may_hold_all_options_as_a_list(tmp_path):
    columns = ChoiceColumns(options=("endings",), answers="from-0", question="ctx")
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"ctx": ["x"], "endings": [["a", "b", "c"]], "label": ["2"]}), path)

    (question,) = table.read(path, columns)

    assert question.options == ("a", "b", "c")
    assert question.gold == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"choice2": ""}, "row 1: option 2 is empty"),
        ({"choice2": None}, "row 1: option 2 is empty"),
        ({"choice2": float("nan")}, "row 1: option 2 is empty"),
        ({"choice2": ["x"]}, "row 1: option 2 is list, not text"),
        ({"premise": " "}, "row 1: 'premise' is empty"),
        ({"asked": ""}, "row 1: 'asked' is empty"),
        ({"asked": False}, "row 1: 'asked' is bool, not text"),
    ],
)
def test_a_bad_cell_says_where_and_why(tmp_path, changed, said):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(ROWS[0] | changed))

    with pytest.raises(UserError) as caught:
        table.read(path, COPA)

    assert said in caught.value.what


def test_a_missing_column_an_empty_table_and_a_repeated_id_are_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"premise": "x"}')
    with pytest.raises(UserError, match=r"row 1: no 'choice1'; there is 'premise'"):
        table.read(path, COPA)
    path.write_text("")
    with pytest.raises(UserError, match="has no questions"):
        table.read(path, COPA)
    path.write_text((json.dumps(ROWS[0]) + "\n") * 2)
    with pytest.raises(UserError, match=r"row 2: the id '7' stands at .*row 1 already"):
        table.read(path, COPA)


def test_columns_without_options_or_anything_to_ask_are_refused():
    with pytest.raises(UserError, match="no column of options"):
        ChoiceColumns(options=(), answers="from-0", question="q")
    with pytest.raises(UserError, match="neither a column of passages nor one of questions"):
        ChoiceColumns(options=("a", "b"), answers="from-0")
