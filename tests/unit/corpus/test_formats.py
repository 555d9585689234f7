import bz2
import gzip
import json
import lzma
import random
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs import formats
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
WRITE = {
    ".txt": lambda path: path.write_text("\n\n".join(TEXTS), encoding="utf-8"),
    ".jsonl": lambda path: path.write_text(
        "".join(json.dumps({"n": 1, "text": text}) + "\n" for text in TEXTS), encoding="utf-8"
    ),
    ".csv": lambda path: path.write_text(
        'n,text\r\n1,"Grüße, ""Ada"""\r\n2,"two\nlines"\r\n3,第三\r\n', encoding="utf-8", newline=""
    ),
    ".json": lambda path: path.write_text(
        json.dumps([{"n": 1, "text": text} for text in TEXTS], indent=1), encoding="utf-8"
    ),
    ".wiki": lambda path: path.write_text(
        "".join(f'<doc id="1" url="u" title="t">\n{text}\n</doc>\n' for text in TEXTS),
        encoding="utf-8",
    ),
    ".parquet": lambda path: pq.write_table(pa.table({"n": [1, 2, 3], "text": TEXTS}), path),
    ".arrow": lambda path: write_arrow(path, pa.table({"n": [1, 2, 3], "text": TEXTS})),
}  # fmt: skip


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
    assert min(steps) >= 0


@pytest.mark.parametrize("packing", PACK)
def test_quotes_in_tsv_are_letters(tmp_path, packing):
    table = 'text\tlabel\n"Well, he said\t1\n"a" "b"\t0\n'
    path = written(tmp_path / f"a.tsv{packing}", PACK[packing](table.encode()))

    assert read(path) == ['"Well, he said', '"a" "b"']


def test_txt_is_cut_at_blank_lines_or_not_at_all(tmp_path):
    path = written(tmp_path / "a.txt", "\n a\r\nb\n \t\n\n\nc")

    assert read(path) == [" a\r\nb\n", "c"]
    assert read(path, txt_documents="file") == ["\n a\r\nb\n \t\n\n\nc"]


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".json", ".csv", ".tsv", ".wiki"])
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


def test_a_json_file_may_hold_an_object_a_line_as_well(tmp_path):
    path = written(tmp_path / "a.json", '\n{"text": "a"}\n\n{"text": "b"}\n')

    assert read(path) == ["a", "b"]


def test_wiki_extracts_keep_the_title_and_the_blank_lines_within_an_article(tmp_path):
    articles = (
        '<doc id="12" url="https://en.wikipedia.org/wiki?curid=12" title="A "b"">\n'
        "Anarchism\n\nAnarchism is ...\n\nIt is &lt;old&gt;.\n\n</doc>\n"
        '\n<doc id="13" url="" title="c">\nc\n\n</doc>\n'
    )

    assert read(written(tmp_path / "wiki_00", articles)) == [
        "Anarchism\n\nAnarchism is ...\n\nIt is &lt;old&gt;.\n\n",
        "c\n\n",
    ]


@pytest.mark.parametrize("name", ["wiki_00", "wiki_123.bz2", "en.wiki.gz"])
def test_wiki_extracts_may_be_json_lines(tmp_path, name):
    rows = '{"id": "1", "title": "t", "text": "t\\n\\na"}\n{"id": "2", "text": "b"}\n'
    path = written(tmp_path / name, PACK[Path(name).suffix](rows.encode()))

    assert read(path) == ["t\n\na", "b"]


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
)
def test_arrow_files_and_streams_are_read_with_every_kind_of_string(tmp_path, new, kind):
    rows = [None, *TEXTS] * 300
    nested = pa.array([{"a": 1, "b": [2]}] * len(rows))
    write_arrow(tmp_path / "a.arrow", pa.table({"n": nested, "text": pa.array(rows, kind)}), new)

    assert read(tmp_path / "a.arrow") == ["", *TEXTS] * 300


def test_a_few_nul_characters_are_left_to_the_cleaning(tmp_path):
    path = written(tmp_path / "a.jsonl", '{"text": "a\\u0000bc def"}\n')

    assert read(path) == ["a\0bc def"]
    assert read(written(tmp_path / "a.txt", "a\0bc def")) == ["a\0bc def"]


def test_a_text_that_begins_like_packed_data_is_a_text(tmp_path):
    assert read(written(tmp_path / "a.txt", "PAR1 and BZh are magic.")) == [
        "PAR1 and BZh are magic."
    ]


def peak_while_reading(path):
    """The most memory that Python held at once, and the lengths of the texts."""
    tracemalloc.start()
    try:
        lengths = [len(text) for _, text in stream(path)]
        return tracemalloc.get_traced_memory()[1], lengths
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", [".txt", ".txt.zst", ".jsonl", ".jsonl.gz"])
def test_a_very_long_line_takes_a_few_times_its_size(tmp_path, suffix):
    line = random.Random(0).randbytes(4_000_000).hex()
    content = json.dumps({"text": line}) if suffix.startswith(".jsonl") else line
    pack = PACK[suffix.removeprefix(".txt").removeprefix(".jsonl")]

    peak, lengths = peak_while_reading(written(tmp_path / f"a{suffix}", pack(content.encode())))

    assert lengths == [len(line)]
    assert peak < 5 * len(line)


@pytest.mark.parametrize("packing", PACK)
def test_a_file_of_any_size_streams(tmp_path, packing):
    pack = {**PACK, ".xz": lambda data: lzma.compress(data, preset=0)}[packing]
    noise = random.Random(0)
    rows = "".join(json.dumps({"text": noise.randbytes(1000).hex()}) + "\n" for _ in range(250))

    path = written(tmp_path / f"a.jsonl{packing}", pack(rows.encode()) * 20)
    peak, lengths = peak_while_reading(path)

    assert lengths == [2000] * 250 * 20
    assert peak < 12 * len(rows)
