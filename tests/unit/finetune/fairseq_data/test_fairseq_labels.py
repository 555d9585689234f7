import pytest

from unmask.core.errors import UserError
from unmask.finetune.fairseq_data import labels


@pytest.fixture
def folder(tmp_path, write):
    (tmp_path / "label").mkdir()
    (tmp_path / "label" / "dict.txt").write_text(
        "not_entailment 9\nentailment 8\nmadeupword0000 0\nmadeupword0001 0\n"
    )
    write(tmp_path / "label" / "train", [[5, 2], [4, 2], [5, 2]])
    return tmp_path


def test_classes_are_numbered_by_the_dictionary_and_fillers_are_none(folder):
    found = labels.read(folder, "train")

    assert found.names == ("not_entailment", "entailment")
    assert found.label_N.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([[5, 2], [2]], "train.bin: example 2 has 0 labels"),
        ([[5, 2], []], "example 2 has 0 labels"),
        ([[5, 4, 2], [5, 2]], "example 1 has 2 labels"),
        ([[5, 2], [5, 4]], "example 2 has 1 labels"),
        ([[5, 2], [3, 2]], "example 2 has a label that train has not"),
        ([[5, 2], [6, 2]], "example 2 has the label id 6"),
        ([[5, 2], [0, 2]], "example 2 has the label id 0"),
        ([[5, 2], [600, 2]], "example 2 has the label id 600"),
    ],
)
def test_an_example_without_exactly_one_known_label_is_refused(folder, write, items, said):
    write(folder / "label" / "train", items)

    with pytest.raises(UserError) as caught:
        labels.read(folder, "train")

    assert said in caught.value.what


def test_numbers_are_read_as_they_stand(tmp_path):
    (tmp_path / "label").mkdir()
    (tmp_path / "label" / "valid.label").write_text("0.76\n1\n0\n1e-3\n")

    assert labels.read_numbers(tmp_path, "valid").tolist() == [0.76, 1.0, 0.0, 0.001]


@pytest.mark.parametrize("line", ["", "x", "nan", "inf", "0.5 0.7", "0,5"])
def test_a_line_that_is_no_number_is_refused(tmp_path, line):
    (tmp_path / "label").mkdir()
    (tmp_path / "label" / "valid.label").write_text(f"1\n{line}\n2\n")

    with pytest.raises(UserError) as caught:
        labels.read_numbers(tmp_path, "valid")

    assert f"valid.label: line 2: {line!r} is not a number" in caught.value.what
