import zipfile

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.glue import files, submission
from unmask.finetune.glue.tasks import TASKS, task

OFFICIAL = {
    "CoLA.tsv", "SST-2.tsv", "MRPC.tsv", "STS-B.tsv", "QQP.tsv", "MNLI-m.tsv", "MNLI-mm.tsv",
    "QNLI.tsv", "RTE.tsv", "WNLI.tsv",
}  # fmt: skip


def test_the_files_have_their_official_names():
    names = [name for one in TASKS for name in submission.file_names(one).values()]

    assert set(names) == OFFICIAL
    assert len(names) == len(OFFICIAL)
    assert submission.file_names(task("mnli")) == {
        "test_matched": "MNLI-m.tsv",
        "test_mismatched": "MNLI-mm.tsv",
    }


@pytest.mark.parametrize("one", TASKS, ids=lambda one: one.name)
def test_every_file_answers_one_test_file(one):
    assert tuple(submission.file_names(one)) == files.split_names(one, "test")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cola", ["1", "0"]),
        ("sst2", ["1", "0"]),
        ("mrpc", ["1", "0"]),
        ("qqp", ["1", "0"]),
        ("wnli", ["1", "0"]),
        ("mnli", ["neutral", "entailment"]),
        ("qnli", ["not_entailment", "entailment"]),
        ("rte", ["not_entailment", "entailment"]),
    ],
)
def test_classes_are_written_in_the_words_of_the_task(tmp_path, name, words):
    submission.write_classes(tmp_path / "a.tsv", task(name), ["0", "7"], [1, 0])

    expected = f"index\tprediction\n0\t{words[0]}\n7\t{words[1]}\n"
    assert (tmp_path / "a.tsv").read_bytes() == expected.encode()


def test_numbers_are_kept_within_the_range_and_have_three_decimals(tmp_path):
    numbers = np.array([-0.7, -0.0, 2.00049, 4.9996, 5.7, np.inf], dtype=np.float32)

    submission.write_numbers(tmp_path / "a.tsv", task("stsb"), list("012345"), numbers)

    found = [line.split("\t")[1] for line in (tmp_path / "a.tsv").read_text().splitlines()]
    assert found == ["prediction", "0.000", "0.000", "2.000", "5.000", "5.000", "5.000"]


def test_an_answer_that_is_no_number_is_refused(tmp_path):
    with pytest.raises(UserError, match="answer to row 8 is not a number"):
        submission.write_numbers(tmp_path / "a.tsv", task("stsb"), ["7", "8"], [1.0, np.nan])

    assert not (tmp_path / "a.tsv").exists()


def test_a_zip_holds_what_is_there_and_says_what_is_not(tmp_path, capsys):
    submission.write_classes(tmp_path / "RTE.tsv", task("rte"), ["0"], [1])
    submission.write_classes(tmp_path / "CoLA.tsv", task("cola"), ["0"], [1])
    (tmp_path / "notes.tsv").touch()

    path = submission.pack(tmp_path)
    first = path.read_bytes()

    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["CoLA.tsv", "RTE.tsv"]
        assert archive.read("RTE.tsv") == (tmp_path / "RTE.tsv").read_bytes()
    said = capsys.readouterr().err
    assert "without SST-2.tsv, MRPC.tsv, STS-B.tsv, QQP.tsv, MNLI-m.tsv, MNLI-mm.tsv, QNLI" in said
    assert submission.pack(tmp_path).read_bytes() == first


def test_a_folder_without_predictions_makes_no_zip(tmp_path):
    with pytest.raises(UserError, match="no predictions of GLUE in it"):
        submission.pack(tmp_path)
