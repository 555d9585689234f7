import bz2
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmask.core.errors import UserError
from unmask.finetune import table
from unmask.finetune.data_config import ColumnsConfig

COLUMNS = ColumnsConfig()


def written(folder, text, name="a.tsv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def complaint(call, *args):
    with pytest.raises(UserError) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize(("ending", "pack"), [(".bz2", bz2.compress), (".xz", lzma.compress)])
def test_further_packings_are_read(tmp_path, ending, pack):
    path = tmp_path / f"a.tsv{ending}"
    path.write_bytes(pack("text\tlabel\nnaïve\t1\n".encode()))

    assert [(row.text, row.label) for row in table.read(path, COLUMNS)] == [("naïve", "1")]


def test_a_cell_may_be_longer_than_pythons_own_limit(tmp_path):
    long = "word " * 50_000

    (row,) = table.read(written(tmp_path, f"text\tlabel\n{long}\t1\n"), COLUMNS)

    assert row.text == long


def test_a_place_names_the_file_and_the_row(tmp_path):
    path = written(tmp_path, "text\tlabel\nx\t1\n\ny\t2\n")

    assert [row.place for row in table.read(path, COLUMNS)] == [f"{path}: row 1", f"{path}: row 2"]


def test_several_labels_are_cut_at_the_separator_and_none_is_none(tmp_path):
    path = written(tmp_path, "text\tlabel\nx\tb|a\ny\t\nz\t c ; d \n")

    assert [row.label for row in table.read_several(path, COLUMNS)] == [("b", "a"), (), ("c ; d",)]
    assert [row.label for row in table.read_several(path, COLUMNS, ";")][2] == ("c", "d")


def test_lists_of_labels_are_taken_as_they_are(tmp_path):
    rows = [{"text": "x", "label": ["a|b", "c"]}, {"text": "y", "label": []}]
    rows += [{"text": "z", "label": None}]
    jsonl = written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "a.jsonl")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")

    for path in (jsonl, tmp_path / "a.parquet"):
        assert [row.label for row in table.read_several(path, COLUMNS)] == [("a|b", "c"), (), ()]


@pytest.mark.parametrize(
    ("cell", "said"), [("a|a", "has a label twice: 'a|a'"), ("a||b", "has an empty label: 'a||b'")]
)
def test_labels_named_twice_or_not_at_all_are_refused(tmp_path, cell, said):
    path = written(tmp_path, f"text\tlabel\nx\tb\ny\t{cell}\n")

    assert (
        complaint(table.read_several, path, COLUMNS).what == f"{path}: row 2: column 'label' {said}"
    )


def test_numbers_are_read(tmp_path):
    path = written(
        tmp_path, '{"text": "x", "label": 3}\n{"text": "y", "label": "-2.5"}\n', "a.jsonl"
    )

    assert [row.label for row in table.read_numbers(path, COLUMNS)] == [3.0, -2.5]


@pytest.mark.parametrize("cell", ["high", "1,5", "nan", "inf", "-1e999"])
def test_what_is_no_finite_number_is_refused(tmp_path, cell):
    path = written(tmp_path, f"text\tlabel\nx\t1\ny\t{cell}\n")

    assert complaint(table.read_numbers, path, COLUMNS).what == (
        f"{path}: row 2: {cell!r} is not a number"
    )


def test_texts_alone_need_no_labels(tmp_path):
    path = written(tmp_path, "text\tother\nx\ty\n")

    (row,) = table.read_texts(path, ColumnsConfig(pair="other"))

    assert (row.text, row.pair, row.label) == ("x", "y", None)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.tsv", "text\tlabel\n \t1\n", "row 1: column 'text' is empty"),
        ("a.tsv", "text\tlabel\nx\t1\ny\t\u3000\n", "row 2: column 'label' is empty"),
        ("a.jsonl", '{"text": "x", "label": NaN}', "row 1: column 'label' is empty"),
        ("a.jsonl", '{"text": ["x"], "label": 1}', "column 'text' holds a list, not a text"),
        ("a.jsonl", '{"text": {"a": 1}, "label": 1}', "column 'text' holds a dict, not a text"),
        ("a.tsv", "text\ttext\nx\t1\n", "the header has two columns 'text'"),
        ("a.tsv", "", "has no rows"),
    ],
)
def test_a_row_without_a_text_or_a_label_is_refused(tmp_path, name, content, said):
    path = written(tmp_path, content, name)

    assert said in complaint(table.read, path, COLUMNS).what


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "a.tsv").mkdir()

    assert "a folder, not a file" in complaint(table.read, tmp_path / "a.tsv", COLUMNS).what
