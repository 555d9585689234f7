import json

import pytest

from unmask.core.errors import UserError
from unmask.infer.language.choose import Question
from unmask.infer.language.winograd import read_winogrande, read_wsc

WSC = {
    "idx": 0,
    "text": 'Mark told Pete lies about himself, "which he", Pete included. He was kind.',
    "target": {
        "span1_text": "Mark",
        "span1_index": 0,
        "span2_text": "He",
        "span2_index": 10,
    },
    "candidates": ["Pete", "lies"],
    "label": True,
}
WINO = {"sentence": "Ann beat Sue as _ was good.", "option1": "Ann", "option2": "Sue"}


def written(folder, *rows):
    path = folder / "val.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def wsc(target=None, **changes):
    return {**WSC, **changes, "target": {**WSC["target"], **(target or {})}}


def test_a_schema_of_wsc_is_read(tmp_path):
    schema = read_wsc(written(tmp_path, WSC))[0]

    text = WSC["text"]
    assert schema.label is True
    assert schema.pronoun.text == text
    assert schema.pronoun.start == text.index("He was")
    assert text[schema.pronoun.start : schema.pronoun.stop] == "He"
    assert schema.pronoun.query == "Mark"
    assert schema.pronoun.candidates == ("Pete", "lies")


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ({"span2_index": 9}, "He was"),  # short by one, as some are
        ({"span2_text": "himself,", "span2_index": 5}, "himself"),
        ({"span2_text": 'he",', "span2_index": 7}, "he"),
        ({"span2_text": "which", "span2_index": 6}, "which"),  # after a quote
    ],
)
def test_pronouns_are_found_in_spite_of_punctuation(tmp_path, target, place):
    pronoun = read_wsc(written(tmp_path, wsc(target)))[0].pronoun

    found = pronoun.text[pronoun.start : pronoun.stop]
    assert found == place.split()[0]
    assert pronoun.text[: pronoun.start].endswith((" ", '"'))


def test_a_full_stop_is_no_part_of_a_query(tmp_path):
    schema = read_wsc(written(tmp_path, wsc({"span1_text": "Mark."})))[0]

    assert schema.pronoun.query == "Mark"


def test_a_test_set_has_no_labels(tmp_path):
    unlabelled = {name: value for name, value in WSC.items() if name != "label"}

    assert read_wsc(written(tmp_path, unlabelled))[0].label is None
    assert (
        read_winogrande(written(tmp_path, WINO, {**WINO, "answer": ""}))
        == [read_winogrande(written(tmp_path, WINO))[0]] * 2
    )


def test_a_schema_of_winogrande_is_read(tmp_path):
    schemas = read_winogrande(written(tmp_path, {**WINO, "answer": "2"}, WINO))

    assert [schema.answer for schema in schemas] == [1, None]
    assert schemas[0].question == Question("Ann beat Sue as ", " was good.", ("Ann", "Sue"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (wsc(candidates="Pete"), "row 2: 'candidates' is \"Pete\", not of type list"),
        ({**WSC, "text": 3}, "row 2: 'text' is 3, not of type str"),
        (wsc({"span2_index": 3}), "row 2: word 3 of the text is not 'He'"),
        (wsc({"span2_index": 99}), "row 2: word 99 of the text is not 'He'"),
        ({"text": "x", "target": {}}, "row 2: no 'candidates'"),
        (wsc(label="yes"), "row 2: 'label' is \"yes\", not of type bool"),
    ],
)
def test_a_wrong_schema_of_wsc_is_refused_with_its_place(tmp_path, row, message):
    with pytest.raises(UserError) as caught:
        read_wsc(written(tmp_path, WSC, row))

    assert message in caught.value.what
    assert "val.jsonl" in caught.value.what


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**WINO, "sentence": "no gap"}, "row 1: no _ in 'no gap'"),
        ({**WINO, "option2": None}, "row 1: 'option2' is null, not of type str"),
        ({"sentence": "a _"}, "row 1: 'option1' is missing, not of type str"),
        ({**WINO, "answer": "3"}, "row 1: 'answer' is '3'"),
    ],
)
def test_a_wrong_schema_of_winogrande_is_refused_with_its_place(tmp_path, row, message):
    with pytest.raises(UserError) as caught:
        read_winogrande(written(tmp_path, row))

    assert message in caught.value.what
