import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from unmask.core.errors import UserError
from unmask.finetune import table
from unmask.finetune.data_config import ColumnsConfig

ROWS = [{"text": 'a "quoted" word', "label": "yes"}, {"text": "naïve, 漢字", "label": "no"}]
TSV = "text\tlabel\n" + "".join(f"{row['text']}\t{row['label']}\n" for row in ROWS)
CSV = 'text,label\n"a ""quoted"" word",yes\n"naïve, 漢字",no\n'
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", TSV.encode()),
        ("a.csv", CSV.encode()),
        ("a.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("a.jsonl", JSONL.encode()),
        ("a.jsonl.gz", gzip.compress(JSONL.encode(), mtime=0)),
        ("a.tsv.zst", zstandard.compress(TSV.encode())),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    rows = table.read(tmp_path / name, ColumnsConfig())

    assert [{"text": row.text, "label": row.label} for row in rows] == ROWS


def test_parquet_is_read_and_numbers_become_labels(tmp_path):
    pq.write_table(
        pa.table({"a": ["x", "y"], "b": ["1", "2"], "c": [0, 1]}), tmp_path / "a.parquet"
    )

    rows = table.read(tmp_path / "a.parquet", ColumnsConfig(text="a", pair="b", label="c"))

    assert [(row.text, row.pair, row.label) for row in rows] == [("x", "1", "0"), ("y", "2", "1")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"sentence": "x", "label": 1}', "row 1: no column 'text'; there is"),
        ("a.jsonl", b'{"text": "x", "label": 1}\n{"text"', "line 2: no JSON"),
        ("a.jsonl", b"[1]", "line 1: not a JSON object"),
        ("a.jsonl", b'{"text": "x", "label": null}', "row 1: column 'label' is empty"),
        ("a.tsv", b"text\tlabel\nx", "row 1: 1 cells where the header has 2"),
        ("a.csv", b'text,label\n"x,1\n', "line 2"),
        ("a.csv", b"text,label\n\xff,1\n", "not UTF-8"),
        ("a.csv", b"text,label\n", "has no rows"),
        ("a.xls", b"", "unknown kind of table"),
        ("a.parquet", b"PAR", "damaged"),
        ("a.jsonl.gz", b"no gzip", "damaged"),
        ("a.jsonl.zst", zstandard.compress(b'{"text": "x", "label": 1}' * 999)[:-4], "damaged"),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_why(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UserError) as caught:
        table.read(tmp_path / name, ColumnsConfig())

    assert said in caught.value.what
    assert name in caught.value.what


def test_the_one_table_of_a_split_is_found(tmp_path):
    (tmp_path / "train.tsv.gz").touch()

    assert table.find(tmp_path, "train") == tmp_path / "train.tsv.gz"
    with pytest.raises(UserError, match=r"has no dev\.\*"):
        table.find(tmp_path, "dev")
    (tmp_path / "train.csv").touch()
    with pytest.raises(UserError, match=r"has train\.tsv\.gz and train\.csv|train\.csv and train"):
        table.find(tmp_path, "train")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cola.tsv", 'gj04\t1\t\tThe sailors rode.\ngj04\t0\t*\tThe "car honked.\n'),
        ("cola.csv", 'gj04,1,,The sailors rode.\ngj04,0,*,"The ""car honked."\n'),
    ],
)
def test_a_table_without_a_header_is_read_by_the_names_that_are_given(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")

    rows = table.read(
        tmp_path / name,
        ColumnsConfig(names=("source", "label", "mark", "sentence"), text="sentence"),
    )

    assert [(row.text, row.label) for row in rows] == [
        ("The sailors rode.", "1"),
        ('The "car honked.', "0"),
    ]


def test_names_that_are_too_few_or_for_a_table_that_has_its_own_are_refused(tmp_path):
    def said(name):
        with pytest.raises(UserError) as caught:
            table.read(tmp_path / name, ColumnsConfig(names=("text", "label")))
        return caught.value

    (tmp_path / "a.tsv").write_text("x\t1\ty\n")
    assert "row 1: 3 cells where --columns.names has 2" in said("a.tsv").what
    (tmp_path / "a.jsonl").write_text(JSONL)
    assert "--columns.names text label: a .jsonl table names its own" in said("a.jsonl").what
    assert said("a.jsonl").hint == "leave out --columns.names"
