import gzip

import pytest

from unmask.core.errors import UserError
from unmask.finetune.glue import files, reading
from unmask.finetune.glue.tasks import task

MNLI_TEST = [
    "index",
    "promptID",
    "pairID",
    "genre",
    "sentence1_binary_parse",
    "sentence2_binary_parse",
    "sentence1_parse",
    "sentence2_parse",
    "sentence1",
    "sentence2",
]
STSB = [
    "index",
    "genre",
    "filename",
    "year",
    "old_index",
    "source1",
    "source2",
    "sentence1",
    "sentence2",
]

CASES = [
    ("cola", "train.tsv", ["gj04", "0", "*", 'He "said.'], [], ('He "said.', None, "unacceptable")),
    ("sst2", "dev.tsv", ["fine . ", "1"], ["sentence", "label"], ("fine . ", None, "positive")),
    (
        "mrpc",
        "train.tsv",
        ["0", "1", "2", '"A b.', "C."],
        ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
        ('"A b.', "C.", "not_equivalent"),
    ),
    (
        "qqp",
        "train.tsv",
        ["7", "1", "2", "Who?", 'Who is "it?', "1"],
        ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
        ("Who?", 'Who is "it?', "duplicate"),
    ),
    (
        "mnli",
        "train.tsv",
        [*map(str, range(8)), "P.", "H.", "neutral", "contradiction"],
        [*MNLI_TEST, "label1", "gold_label"],
        ("P.", "H.", "contradiction"),
    ),
    (
        "mnli",
        "dev_matched.tsv",
        [*map(str, range(8)), "P.", "H.", *["neutral"] * 5, "entailment"],
        [*MNLI_TEST, *(f"label{n}" for n in range(1, 6)), "gold_label"],
        ("P.", "H.", "entailment"),
    ),
    (
        "qnli",
        "dev.tsv",
        ["0", "Q?", "S.", "not_entailment"],
        ["index", "question", "sentence", "label"],
        ("Q?", "S.", "not_entailment"),
    ),
    (
        "rte",
        "dev.tsv",
        ["0", "A.", "B.", "entailment"],
        ["index", "sentence1", "sentence2", "label"],
        ("A.", "B.", "entailment"),
    ),
    (
        "wnli",
        "dev.tsv",
        ["0", "A.", "B.", "1"],
        ["index", "sentence1", "sentence2", "label"],
        ("A.", "B.", "entailment"),
    ),
]


def written(path, *lines):
    path.write_text("".join("\t".join(line) + "\n" for line in lines if line), encoding="utf-8")
    return path


def complaint(call, *args):
    with pytest.raises(UserError) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize(("name", "file", "row", "header", "expected"), CASES)
def test_the_official_layout_is_read(tmp_path, name, file, row, header, expected):
    path = written(tmp_path / file, header, row)
    packed = tmp_path / f"{file}.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + path.read_bytes()))

    for source in (path, packed):
        (found,) = reading.read_classes(source, task(name))

        assert (found.text, found.pair, found.label) == expected
        assert found.place == f"{source}: row 1"


def test_sts_b_is_read_from_the_official_file_and_from_the_mirror(tmp_path):
    official = written(
        tmp_path / "train.tsv", [*STSB, "score"], [*"0123456", "A, b.", 'C "d', "4.75"]
    )
    mirror = tmp_path / "stsb-en-train.csv"
    mirror.write_text('"A, b.","C ""d",4.75\n')

    for path in (official, mirror):
        (row,) = reading.read_numbers(path, task("stsb"))
        assert (row.text, row.pair, row.label) == ("A, b.", 'C "d', 4.75)


def test_rows_of_qqp_with_missing_cells_are_left_out_and_counted(tmp_path, capsys):
    header = ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"]
    whole = ["1", "2", "3", "A?", "B?", "0"]
    path = written(
        tmp_path / "train.tsv", header, whole, ["4", "5", "6", "torn"], [*whole[:3], "", "B?", "1"]
    )

    (row,) = reading.read_classes(path, task("qqp"))

    assert (row.text, row.pair, row.label) == ("A?", "B?", "not_duplicate")
    assert f"{path}: left out 2 rows with missing cells" in capsys.readouterr().err


def test_rows_of_mnli_without_a_common_label_are_left_out_and_counted(tmp_path, capsys):
    header = [*MNLI_TEST, "gold_label"]
    cells = [*map(str, range(8)), "P.", "H."]
    path = written(tmp_path / "dev.tsv", header, [*cells, "-"], [*cells, "neutral"])

    (row,) = reading.read_classes(path, task("mnli"))

    assert row.place == f"{path}: row 2"
    assert f"{path}: left out 1 rows on which the annotators" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "header", "rows", "indices"),
    [
        ("cola", ["index", "sentence"], [["0", "A."], ["1", "B."]], ["0", "1"]),
        ("qqp", ["id", "question1", "question2"], [["9", "A?", ""], ["8", "C?", "D?"]], ["9", "8"]),
        ("stsb", STSB, [[*"3123456", "A.", "B."]], ["3"]),
        ("mnli", MNLI_TEST, [[*"51234567", "A.", "B."]], ["5"]),
        ("mrpc", ["Quality", "#1 String", "#2 String"], [["1", "A.", "B."]] * 2, ["0", "1"]),
    ],
)
def test_rows_to_be_predicted_have_an_index_and_texts(tmp_path, name, header, rows, indices):
    path = written(tmp_path / "test.tsv", header, *rows)

    found, texts = reading.read_test(path, task(name))

    assert found == indices
    for row, cells in zip(texts, rows, strict=True):
        expected = [row.text] if row.pair is None else [row.text, row.pair]
        assert cells[-len(expected) :] == expected
        assert row.label is None


@pytest.mark.parametrize(
    ("name", "lines", "said", "hint"),
    [
        (
            "sst2",
            [["sentence", "label"], ["x", "1"], ["y", "2"]],
            "row 2: column 'label' is '2', which is no label of sst2",
            "one of 0, 1",
        ),
        (
            "mnli",
            [["sentence1", "sentence2", "gold_label"], ["x", "y", "contradictory"]],
            "row 1: column 'gold_label' is 'contradictory', which is no label of mnli",
            "one of entailment, neutral, contradiction",
        ),
        (
            "sst2",
            [["sentence", "label"], ["", "1"]],
            "row 1: column 'sentence' is empty",
            "fill it",
        ),
        ("sst2", [["x", "1"]], "no column 'sentence' of sst2; there is 'x', '1'", "give the file"),
        ("sst2", [["sentence", "Label"], ["x", "1"]], "no column 'label' of sst2", "give the file"),
        ("cola", [["gj04", "1", "A."]], "row 1: 3 cells where cola has 4", "give the file as it"),
        ("rte", [["sentence1", "sentence2", "label"]], "has no rows", "give a file with"),
        ("rte", [], "has no rows", "give a file with"),
    ],
)
def test_a_file_that_does_not_fit_the_task_is_refused(tmp_path, name, lines, said, hint):
    path = written(tmp_path / "dev.tsv", *lines)

    error = complaint(reading.read_classes, path, task(name))

    assert error.what.startswith(f"{path}: {said}")
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("5.7", "column 'score' is 5.7, out of the range of stsb"),
        ("-0.1", "column 'score' is -0.1, out of the range of stsb"),
        ("good", "'good' is not a number"),
        ("nan", "'nan' is not a number"),
    ],
)
def test_a_score_out_of_range_is_refused(tmp_path, score, said):
    path = tmp_path / "stsb-en-dev.csv"
    path.write_text(f"A.,B.,0\nA.,B.,5.0\nA.,B.,{score}\n")

    assert complaint(reading.read_numbers, path, task("stsb")).what == f"{path}: row 3: {said}"


def test_a_torn_row_to_be_predicted_is_refused(tmp_path):
    path = written(tmp_path / "test.tsv", ["id", "question1", "question2"], ["1", "A?"])

    error = complaint(reading.read_test, path, task("qqp"))

    assert error.what == f"{path}: row 1: 2 cells where qqp has 3"


def test_files_are_found_in_the_download_and_in_the_tasks_own_folder(tmp_path):
    own = tmp_path / "SST-2"
    own.mkdir()
    (own / "train.tsv.gz").touch()

    expected = {"train": own / "train.tsv.gz"}
    assert files.find(tmp_path, task("sst2"), "train") == expected
    assert files.find(own, task("sst2"), "train") == expected
    with pytest.raises(UserError, match=r"SST-2: has no dev\.\*"):
        files.find(tmp_path, task("sst2"), "dev")


def test_mnli_has_two_files_for_dev_and_test_but_one_for_training(tmp_path):
    for name in ("train", "dev_matched", "dev_mismatched", "test_matched"):
        (tmp_path / f"{name}.tsv").touch()

    assert list(files.find(tmp_path, task("mnli"), "train")) == ["train"]
    assert files.find(tmp_path, task("mnli"), "dev") == {
        "dev_matched": tmp_path / "dev_matched.tsv",
        "dev_mismatched": tmp_path / "dev_mismatched.tsv",
    }
    with pytest.raises(UserError, match=r"has no test_mismatched\.\*"):
        files.find(tmp_path, task("mnli"), "test")


def test_the_split_of_glue_is_preferred_to_the_original_corpus(tmp_path):
    (tmp_path / "msr_paraphrase_train.txt").touch()
    assert files.find(tmp_path, task("mrpc"), "train")["train"].name == "msr_paraphrase_train.txt"

    (tmp_path / "train.tsv").touch()
    assert files.find(tmp_path, task("mrpc"), "train")["train"].name == "train.tsv"
