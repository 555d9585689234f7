import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from unmask.core.errors import UserError
from unmask.corpus import formats
from unmask.corpus.config import CorpusConfig
from unmask.corpus.sources import Source

TEXTS = ['Grüße, "Ada"', "two\nlines", "第三"]
PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}
WRITE = {
    ".txt": lambda path: path.write_text("\n\n".join(TEXTS), encoding="utf-8"),
    ".jsonl": lambda path: path.write_text(
        "".join(json.dumps({"n": 1, "text": text}) + "\n" for text in TEXTS), encoding="utf-8"
    ),
    ".csv": lambda path: path.write_text(
        'n,text\r\n1,"Grüße, ""Ada"""\r\n2,"two\nlines"\r\n3,第三\r\n', encoding="utf-8", newline=""
    ),
    ".parquet": lambda path: pq.write_table(pa.table({"n": [1, 2, 3], "text": TEXTS}), path),
}  # fmt: skip


def read(path, *, advance=lambda count: None, **settings):
    config = CorpusConfig(inputs=("x",), out=Path("x"), **settings)
    return list(formats.texts(Source(path, path.name), config, advance))


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("suffix", WRITE)
def test_every_format_in_every_packing_gives_the_same_documents(tmp_path, suffix, packing):
    WRITE[suffix](tmp_path / "plain")
    path = written(
        tmp_path / f"a{suffix}{packing}", PACK[packing]((tmp_path / "plain").read_bytes())
    )
    steps = []

    assert [text.removesuffix("\n") for text in read(path, advance=steps.append)] == TEXTS
    assert sum(steps) == path.stat().st_size


@pytest.mark.parametrize("packing", PACK)
def test_quotes_in_tsv_are_letters(tmp_path, packing):
    table = 'text\tlabel\n"Well, he said\t1\n"a" "b"\t0\n'
    path = written(tmp_path / f"a.tsv{packing}", PACK[packing](table.encode()))

    assert read(path) == ['"Well, he said', '"a" "b"']


def test_txt_is_cut_at_blank_lines_or_not_at_all(tmp_path):
    path = written(tmp_path / "a.txt", "\n a\r\nb\n \t\n\n\nc")

    assert read(path) == [" a\r\nb\n", "c"]
    assert read(path, txt_documents="file") == ["\n a\r\nb\n \t\n\n\nc"]


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv", ".tsv"])
def test_an_empty_file_holds_no_document(tmp_path, suffix):
    assert read(written(tmp_path / f"a{suffix}", "")) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_a_byte_order_mark_is_tolerated_in_every_encoding(tmp_path, encoding):
    mark = "" if encoding in ("utf-16", "utf-32") else "\ufeff"
    path = written(tmp_path / "a.jsonl", (mark + '{"text": "é"}\n').encode(encoding))

    assert read(path, encoding=encoding) == ["é"]


def test_the_text_column_can_have_another_name(tmp_path):
    path = written(tmp_path / "a.csv", "body,text\nyes,no\n\n")

    assert read(path, text_column="body") == ["yes"]


def test_a_null_and_an_empty_cell_are_empty_texts(tmp_path):
    pq.write_table(pa.table({"text": [None, "", "a"]}), tmp_path / "a.parquet")

    assert read(tmp_path / "a.parquet") == ["", "", "a"]
    assert read(written(tmp_path / "a.jsonl", '{"text": null}\n\n{"text": ""}\n')) == ["", ""]
    assert read(written(tmp_path / "a.csv", "text,n\n,1\n")) == [""]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_reads_every_kind_of_string_column(tmp_path, kind):
    pq.write_table(pa.table({"text": pa.array(["b", "a", "b"], kind)}), tmp_path / "a.parquet")

    assert read(tmp_path / "a.parquet") == ["b", "a", "b"]


def test_a_cell_may_be_larger_than_csv_allows_by_default(tmp_path):
    path = written(tmp_path / "a.csv", "text\n" + "x" * 200_000)

    assert read(path) == ["x" * 200_000]


UNDECODABLE = [
    ("a.txt", b"fine\n\nalso\nol\xe9 au lait\n\nlast", "utf-8", "line 3", "ol� au lait"),
    ("a.txt", b"fine\n\nalso\nol\x81 au lait\n\nlast", "cp1252", "line 3", "ol� au lait"),
    ("a.jsonl", b'{"text": "ok"}\n{"text": "ol\xe9"}\n{"text": "ok"}', "utf-8", "line 2", "ol�"),
    ("a.jsonl", b'{"text": "ok"}\n{"text": "\\ud83d!"}\n{"text": "ok"}', "utf-8", "line 2", "�!"),
    ("a.csv", b'text\nfine\n"two\nol\xe9"\nlast\n', "utf-8", "line 3", "ol�"),
    ("a.tsv", b"text\nfine\nol\xe9\nlast", "utf-8", "line 3", "ol�"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "encoding", "place", "near"), UNDECODABLE)
def test_undecodable_text_is_named_by_file_and_place(
    tmp_path, name, content, encoding, place, near
):
    with pytest.raises(UserError) as error:
        read(written(tmp_path / name, content), encoding=encoding)

    assert error.value.what.startswith(
        f"{name}, {place}: the document there is not valid {encoding}, near "
    )
    assert near in error.value.what
    assert "--undecodable drop" in error.value.hint


@pytest.mark.parametrize(("name", "content", "encoding", "place", "near"), UNDECODABLE)
def test_undecodable_text_to_be_dropped_comes_marked_and_alone(
    tmp_path, name, content, encoding, place, near
):
    found = read(written(tmp_path / name, content), encoding=encoding, undecodable="drop")

    marked = [bool(formats.UNDECODABLE.search(text)) for text in found]
    assert marked == [False, True, False]


def test_undecodable_text_in_parquet_is_named_by_its_row(tmp_path):
    texts = pa.array([b"fine", b"ol\xe9"]).view(pa.string())
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")

    with pytest.raises(UserError, match=r"a\.parquet, row 2: .* not valid utf-8, near 'ol�'"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.jsonl", '{"text": "a"}\n{"text":', "a.jsonl, line 2: not valid JSON (Expecting value)"),
        ("a.jsonl", '\n["a"]\n', "a.jsonl, line 2: ['a'] is no JSON object"),
        ("a.jsonl", '{"id": 1, "body": ""}', "a.jsonl, line 1: no column text; there are id, body"),
        ("a.jsonl", '{"text": 5}', "a.jsonl, line 1: text holds 5, which is no string"),
        ("a.csv", "id,body\n1,a\n", "a.csv: no column text; there are id, body"),
        ("a.csv", "id,text\n1,a, b\n", "a.csv, line 2: 3 cells where the header has 2"),
        ("a.tsv", "id\ttext\n1\n", "a.tsv, line 2: 1 cells where the header has 2"),
        ("a.csv", 'text\n"a\nb\n', "a.csv, line 3: not valid CSV (unexpected end of data)"),
        ("a.parquet", "PAR1", "a.parquet: damaged, cut short or not what its suffix says ("),
        ("a.txt.gz", "plain", "a.txt.gz: damaged, cut short or not what its suffix says ("),
        ("a.txt.zst", "plain", "a.txt.zst: damaged, cut short or not what its suffix says ("),
    ],
)  # fmt: skip
def test_a_malformed_file_is_named_with_its_line(tmp_path, name, content, complaint):
    with pytest.raises(UserError) as error:
        read(written(tmp_path / name, content))

    assert error.value.what.startswith(complaint)
    assert error.value.hint


def test_a_parquet_column_is_named_if_it_is_missing_or_holds_no_strings(tmp_path):
    pq.write_table(pa.table({"n": [1], "body": ["a"]}), tmp_path / "a.parquet")

    with pytest.raises(UserError, match="no column text; there are n, body"):
        read(tmp_path / "a.parquet")
    with pytest.raises(UserError, match="n holds int64, not strings"):
        read(tmp_path / "a.parquet", text_column="n")


@pytest.mark.parametrize("packing", [".gz", ".zst"])
@pytest.mark.parametrize("suffix", [".txt", ".parquet"])
def test_a_packed_file_cut_short_is_damage_and_not_the_end(tmp_path, suffix, packing):
    noise = random.Random(0).randbytes(100_000).hex()
    path = written(tmp_path / f"a{suffix}{packing}", PACK[packing](noise.encode())[:-10])

    with pytest.raises(UserError, match="damaged, cut short"):
        read(path)


def test_a_txt_file_without_blank_lines_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "LARGEST_TXT_DOCUMENT", 10)

    with pytest.raises(UserError, match=r"a\.txt, line 5: a document of over 10 characters"):
        read(written(tmp_path / "a.txt", "short\n\n" * 2 + "sentence\n" * 5))


def test_an_error_of_the_disk_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "gone.txt")
