import gzip
import json

import pytest

from unmask.core.errors import UserError
from unmask.finetune.choice import race

OFFICIAL = {
    ("dev", "middle"): 1436,
    ("dev", "high"): 3451,
    ("test", "middle"): 1436,
    ("test", "high"): 3498,
    ("train", "middle"): 25421,
}


def passage(name, **changed):
    return {
        "id": name,
        "article": f"Text of {name}\nin two lines.",
        "questions": ["Who came?", "He is _ ."],
        "options": [["Ann", "Ben", "Cy", "Di"], ["tall", "small", "old", "new"]],
        "answers": ["A", "D"],
    } | changed


def official(folder, split="dev"):
    for part, names in {"middle": ("2", "10"), "high": ("7",)}.items():
        place = folder / split / part
        place.mkdir(parents=True)
        for name in names:
            text = json.dumps(passage(f"{part}{name}.txt"))
            (place / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def packed(folder, split="dev"):
    for part, names in {"middle": ("2", "10"), "high": ("7",)}.items():
        text = "".join(json.dumps(passage(f"{part}{name}.txt")) + "\n" for name in names)
        (folder / f"{split}.{part}.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return folder


@pytest.mark.parametrize("lay", [official, packed])
def test_both_forms_give_the_questions_in_order_with_part_answer_and_place(tmp_path, lay):
    questions = race.read(lay(tmp_path), "dev")

    assert [question.id for question in questions] == [
        *("middle2.txt-0", "middle2.txt-1", "middle10.txt-0", "middle10.txt-1"),
        *("high7.txt-0", "high7.txt-1"),
    ]
    assert [question.part for question in questions] == ["middle"] * 4 + ["high"] * 2
    assert [question.gold for question in questions] == [0, 3] * 3
    assert questions[1].question == "He is _ ."
    assert questions[1].options == ("tall", "small", "old", "new")
    assert questions[4].passage == "Text of high7.txt\nin two lines."
    assert questions[5].place.startswith(str(tmp_path / "dev"))
    assert questions[5].place.endswith(": question 2")


@pytest.mark.parametrize("lay", [official, packed])
def test_a_part_alone_is_read(tmp_path, lay):
    high = race.read(lay(tmp_path), "dev", "high")

    assert {question.part for question in high} == {"high"}
    assert len(high) == 2


def test_the_files_of_a_part_come_in_the_order_of_their_numbers(tmp_path):
    names = [path.name for path in race.files(official(tmp_path), "dev", "middle")]

    assert names == ["2.txt", "10.txt"]
    assert [path.name for path in race.files(packed(tmp_path, "test"), "test", "high")] == [
        "test.high.jsonl.gz"
    ]


def test_a_test_set_without_answers_has_no_gold(tmp_path):
    record = passage("high1.txt")
    del record["answers"]
    (tmp_path / "test.high.jsonl").write_text(json.dumps(record))

    assert [question.gold for question in race.read(tmp_path, "test", "high")] == [None, None]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"answers": ["A", "E"]}, "row 1: question 2: the answer 'E' is none of A to D"),
        ({"answers": ["A", "a"]}, "question 2: the answer 'a' is none of A to D"),
        ({"answers": ["A", None]}, "question 2: the answer None is none of A to D"),
        ({"answers": ["A", ["A"]]}, "question 2: the answer ['A'] is none of A to D"),
        ({"answers": ["A"]}, "row 1: questions, options and answers differ in number (2, 2, 1)"),
        ({"options": [["Ann", " "], ["x", "y"]]}, "row 1: question 1: option 2 is empty"),
        ({"options": [["Ann"], ["x", "y"]]}, "question 1: a choice needs two options, it has 1"),
        ({"options": ["AB", ["x", "y"]]}, "question 1: its options is str, not a list"),
        ({"questions": ["", "x"]}, "row 1: question 1 is empty"),
        ({"article": "\n"}, "row 1: 'article' is empty"),
        ({"article": ["x"]}, "row 1: 'article' is list, not text"),
    ],
)
def test_a_bad_passage_says_where_and_why(tmp_path, changed, said):
    (tmp_path / "dev.high.jsonl").write_text(json.dumps(passage("high1.txt", **changed)))

    with pytest.raises(UserError) as caught:
        race.read(tmp_path, "dev", "high")

    assert said in caught.value.what
    assert "dev.high.jsonl" in caught.value.what


def test_a_missing_field_is_named(tmp_path):
    (tmp_path / "dev.high.jsonl").write_text('{"id": "x", "text": "y"}')

    with pytest.raises(UserError, match=r"row 1: no 'article'; there is 'id', 'text'"):
        race.read(tmp_path, "dev", "high")


def test_an_id_that_comes_twice_is_refused_with_both_places(tmp_path):
    line = json.dumps(passage("high1.txt")) + "\n"
    (tmp_path / "dev.high.jsonl").write_text(line * 2)

    with pytest.raises(UserError) as caught:
        race.read(tmp_path, "dev", "high")

    assert "row 2: question 1: the id 'high1.txt-0' stands at" in caught.value.what
    assert "row 1: question 1 already" in caught.value.what


def test_a_damaged_passage_names_its_file(tmp_path):
    official(tmp_path)
    (tmp_path / "dev" / "high" / "7.txt").write_text("{")
    with pytest.raises(UserError, match=r"high/7\.txt: no JSON"):
        race.read(tmp_path, "dev")

    (tmp_path / "dev" / "high" / "7.txt").write_text("[]")
    with pytest.raises(UserError, match=r"high/7\.txt: not a JSON object"):
        race.read(tmp_path, "dev")


def test_a_split_that_is_not_there_or_there_twice_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"has neither train/middle/ nor train\.middle\.jsonl"):
        race.read(tmp_path, "train")
    packed(official(tmp_path))
    with pytest.raises(UserError, match=r"has dev/middle and dev\.middle\.jsonl\.gz"):
        race.read(tmp_path, "dev")
    (tmp_path / "test" / "middle").mkdir(parents=True)
    with pytest.raises(UserError, match="has no questions"):
        race.read(tmp_path, "test", "middle")


@pytest.mark.parametrize(("split", "part"), OFFICIAL)
def test_official_files_have_the_official_numbers(shared_data, split, part):
    questions = race.read(shared_data / "race", split, part)

    assert len(questions) == OFFICIAL[split, part]
    assert {len(question.options) for question in questions} == {4}
    assert {question.gold for question in questions} == {0, 1, 2, 3}
