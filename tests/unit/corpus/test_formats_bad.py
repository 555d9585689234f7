import bz2
import gzip
import lzma
import random
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from unmask.core.errors import UserError
from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs import formats
from unmask.corpus.inputs.formats import cuts
from unmask.corpus.inputs.slices import Piece, Slice
from unmask.corpus.inputs.sources import Source

TEXTS = ['Grüße, "Ada"', "two\nlines", "第三"]
PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
}


def write_arrow(path, table, new=pa.ipc.new_stream):
    with path.open("wb") as file, new(file, table.schema) as writer:
        writer.write_table(table)


def stream(path, *, advance=lambda count: None, **settings):
    config = CorpusConfig(inputs=("x",), out=Path("x"), **settings)
    size = path.stat().st_size
    whole = Slice("0", (Piece(Source(path, path.name, size), 0, size),))
    return formats.texts(whole, config, advance)


def read(path, **settings):
    named = list(stream(path, **settings))
    assert {name for name, _ in named} <= {path.name}
    return [text for _, text in named]


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


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
        ("a.txt.bz2", "plain", "a.txt.bz2: damaged, cut short or not what its suffix says ("),
        ("a.txt.xz", "plain", "a.txt.xz: damaged, cut short or not what its suffix says ("),
        ("a.txt.zst", "plain", "a.txt.zst: damaged, cut short or not what its suffix says ("),
        ("a.arrow", "", "a.arrow: damaged, cut short or not what its suffix says ("),
        ("a.arrow", "plain text", "a.arrow: damaged, cut short or not what its suffix says ("),
        ("a.json", '[{"text": "a"}, 5]', "a.json, item 2: 5 is no JSON object"),
        ("a.json", '[{"text": "a"},\n', "a.json, item 1: not valid JSON ("),
        ("a.json", '\n{"text":\n "a"}', "a.json, line 2: not valid JSON ("),
        ("a.jsonl", '{"text": "a"}\n' + "[" * 10**5, "a.jsonl, line 2: not valid JSON ("),
        ("a.jsonl", '{"text": "a"}\n{"text": "a\0b"}', "a.jsonl, line 2: not valid JSON (Invalid"),
        ("wiki_00", "\nplain text\n", "wiki_00, line 2: text outside of any <doc>"),
        ("wiki_00", '<doc id="1">\na\n</doc>\nb', "wiki_00, line 4: text outside of any <doc>"),
        ("wiki_00", '\n<doc id="1">\na\n', "wiki_00, line 2: this <doc> has no </doc>"),
        ("wiki_00", '<doc id="1">\na\n<doc id="2">', "wiki_00, line 1: this <doc> has no </doc>"),
        ("wiki_00", '\n{"text": "a"}\n{"id": 1}', "wiki_00, line 3: no column text; there are id"),
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


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("suffix", [".txt", ".parquet", ".arrow"])
def test_a_packed_file_cut_short_is_damage_and_not_the_end(tmp_path, suffix, packing):
    noise = random.Random(0).randbytes(100_000).hex()
    path = written(tmp_path / f"a{suffix}{packing}", PACK[packing](noise.encode())[:-10])

    with pytest.raises(UserError, match="damaged, cut short"):
        read(path)


def test_a_txt_file_without_blank_lines_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(cuts, "LONGEST", 10)

    with pytest.raises(UserError, match=r"a\.txt, line 5: a document of over 10 characters"):
        read(written(tmp_path / "a.txt", "short\n\n" * 2 + "sentence\n" * 5))


def test_an_error_of_the_disk_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "gone.txt")


def test_a_json_list_too_large_for_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(cuts, "LONGEST", 20)

    with pytest.raises(UserError, match="a JSON list of over 20 characters") as error:
        read(written(tmp_path / "a.json", '[{"text": "a"},\n{"text": "b"}]'))

    assert "jq -c" in error.value.hint


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("kept", [3, 100, 2000, -100])
def test_an_arrow_file_cut_short_is_damage(tmp_path, new, kept):
    write_arrow(tmp_path / "a.arrow", pa.table({"text": TEXTS * 100}), new)
    whole = (tmp_path / "a.arrow").read_bytes()

    with pytest.raises(UserError, match="damaged, cut short"):
        read(written(tmp_path / "a.arrow", whole[:kept]))


def test_a_column_of_an_arrow_file_is_named_if_it_is_missing_or_holds_no_strings(tmp_path):
    write_arrow(tmp_path / "a.arrow", pa.table({"n": [1], "body": ["a"], "m": [[1]]}))

    with pytest.raises(UserError, match=r"a\.arrow: no column text; there are n, body, m"):
        read(tmp_path / "a.arrow")
    with pytest.raises(UserError, match="n holds int64, not strings"):
        read(tmp_path / "a.arrow", text_column="n")
    with pytest.raises(UserError, match=r"m holds list<.*, not strings"):
        read(tmp_path / "a.arrow", text_column="m")


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".json", ".csv", ".tsv", ".wiki"])
@pytest.mark.parametrize(
    ("encoding", "guess"),
    [
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("utf-32-le", "utf-32-le"),
        ("utf-32-be", "utf-32-be"),
    ],
)
def test_a_wide_encoding_that_was_not_named_is_recognised(tmp_path, suffix, encoding, guess):
    path = written(tmp_path / f"a{suffix}", '[{"text": "a ffi"}]\nSome text.\n'.encode(encoding))

    with pytest.raises(UserError) as error:
        read(path)

    assert error.value.what.startswith(f"a{suffix}, line 1: the file looks like {guess} and not")
    assert error.value.hint == f"try --encoding {guess}"


def test_utf_16_further_down_a_file_is_recognised_or_dropped(tmp_path):
    path = written(tmp_path / "a.csv", b"text\n" + b"fine\n" * 2000 + "Some".encode("utf-16-le"))

    with pytest.raises(UserError) as error:
        read(path)
    dropped = read(path, undecodable="drop")

    assert error.value.what.startswith("a.csv, line 2002: the document there is mostly NUL")
    assert "--encoding utf-16-le" in error.value.hint
    assert [bool(formats.UNDECODABLE.search(text)) for text in dropped] == [False] * 2000 + [True]


def test_utf_16_without_its_mark_is_told_from_damage(tmp_path):
    path = written(tmp_path / "a.txt", "Some text".encode("utf-16-le"))

    with pytest.raises(UserError, match=r"a\.txt: not valid utf-16 \(.*BOM\)") as error:
        read(path, encoding="utf-16")

    assert "utf-16-le" in error.value.hint


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".json", ".csv", ".tsv", ".wiki"])
@pytest.mark.parametrize(
    ("kind", "pack"),
    [
        ("gzip (.gz)", gzip.compress),
        ("bzip2 (.bz2)", bz2.compress),
        ("xz (.xz)", lzma.compress),
        ("Zstandard (.zst)", zstandard.compress),
    ],
)
def test_packed_data_under_a_plain_name_is_recognised(tmp_path, suffix, kind, pack):
    path = written(tmp_path / f"a{suffix}", pack(b"Some text. " * 20))

    for encoding in ("utf-8", "latin-1"):
        with pytest.raises(UserError) as error:
            read(path, encoding=encoding, undecodable="drop")
        assert error.value.what == f"a{suffix}, line 1: {kind} data and no text"
        assert "suffix" in error.value.hint


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_table_under_the_name_of_a_text_is_recognised(tmp_path, suffix):
    table = pa.table({"text": TEXTS})
    if suffix == ".parquet":
        pq.write_table(table, tmp_path / "a.txt")
    else:
        write_arrow(tmp_path / "a.txt", table)

    with pytest.raises(UserError, match=rf"\(\{suffix}\) data and no text"):
        read(tmp_path / "a.txt", encoding="latin-1")


def test_mixed_encodings_are_named_by_line_and_counted_when_dropped(tmp_path):
    texts = ["Fähre", "Fluß", "Straße"]
    mixed = [text.encode(name) for text in texts for name in ("utf-8", "latin-1", "cp1252")]
    path = written(tmp_path / "a.txt", b"\n\n".join(mixed))

    with pytest.raises(UserError, match=r"a\.txt, line 3: .* not valid utf-8, near 'F�hre"):
        read(path)
    found = read(path, undecodable="drop")

    assert [text.strip() for text in found if not formats.UNDECODABLE.search(text)] == texts


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv"])
def test_a_line_too_long_for_any_document_is_an_error_before_it_fills_the_memory(
    tmp_path, monkeypatch, suffix
):
    monkeypatch.setattr(cuts, "LONGEST", 1000)
    head = "text\n\n" * (suffix != ".jsonl")
    path = written(tmp_path / f"a{suffix}", head + "x" * 10_000_000)

    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"line \d: a document of over 1,000 characters"):
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 5_000_000
