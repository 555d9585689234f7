import json
import pickle
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs import formats
from unmask.corpus.inputs.formats import cuts
from unmask.corpus.inputs.slices import SLICE_BYTES, Piece, Slice, slices
from unmask.corpus.inputs.sources import Source

SETTINGS = CorpusConfig(inputs=("x",), out=Path("x"))


def config(**chosen):
    return CorpusConfig(inputs=("x",), out=Path("x"), **chosen)


def source(path, content=None):
    if content is not None:
        path.write_bytes(content)
    return Source(path, path.name, path.stat().st_size)


def read(found, chosen=SETTINGS):
    """The texts of slices, whose bytes have to add up while they are read."""
    texts = []
    for slice_ in found:
        steps = [0]
        texts += formats.texts(slice_, chosen, steps.append)
        assert sum(steps) == slice_.bytes
        assert min(steps) >= 0
    return texts


def whole(*sources):
    return [Slice("0", tuple(Piece(source, 0, source.bytes) for source in sources))]


def of_sizes(*sizes, suffix=".txt"):
    return [
        Source(Path(f"{number}{suffix}"), f"{number}{suffix}", size)
        for number, size in enumerate(sizes)
    ]


def ranges(found):
    return [[(piece.source.name, piece.start, piece.stop) for piece in s.pieces] for s in found]


def test_small_files_share_a_slice_in_order_and_large_ones_are_cut():
    found = slices(of_sizes(40, 50, 60, 250, 30), SETTINGS, size=100)

    assert ranges(found) == [
        [("0.txt", 0, 40), ("1.txt", 0, 50)],
        [("2.txt", 0, 60)],
        [("3.txt", 0, 83)],
        [("3.txt", 83, 166)],
        [("3.txt", 166, 250)],
        [("4.txt", 0, 30)],
    ]
    assert [slice_.name for slice_ in found] == [f"{number:06d}" for number in range(6)]
    assert [slice_.bytes for slice_ in found] == [90, 60, 83, 83, 84, 30]


def test_a_slice_holds_no_more_files_than_are_quickly_opened():
    found = slices(of_sizes(*[1] * 3000), SETTINGS)

    assert [len(slice_.pieces) for slice_ in found] == [1024, 1024, 952]


def test_no_source_gives_no_slice_and_an_empty_file_a_piece():
    assert slices([], SETTINGS) == []
    assert ranges(slices(of_sizes(0), SETTINGS)) == [[("0.txt", 0, 0)]]


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".parquet"])
def test_a_terabyte_is_cut_without_opening_it(suffix):
    found = slices(of_sizes(1 << 40, suffix=suffix), SETTINGS)

    assert len(found) == (1 << 40) // SLICE_BYTES
    assert max(slice_.bytes for slice_ in found) <= SLICE_BYTES


@pytest.mark.parametrize(
    ("suffix", "chosen"),
    [
        (".txt.gz", {}),
        (".parquet.zst", {}),
        (".csv", {}),
        (".json", {}),
        (".arrow", {}),
        (".wiki", {}),
        (".txt", {"txt_documents": "file"}),
        (".txt", {"encoding": "utf-16"}),
        (".txt", {"encoding": "utf-8-sig"}),
        (".jsonl", {"encoding": "utf_32_le"}),
        (".jsonl", {"encoding": "gb18030"}),
    ],
)
def test_what_cannot_be_entered_in_the_middle_is_one_piece(suffix, chosen):
    assert ranges(slices(of_sizes(250, suffix=suffix), config(**chosen), size=100)) == [
        [(f"0{suffix}", 0, 250)]
    ]


@pytest.mark.parametrize("encoding", ["utf8", "Latin-1", "cp1252", "ascii", "koi8_r", "iso8859-15"])
def test_the_names_of_an_encoding_are_all_known(encoding):
    assert len(slices(of_sizes(250), config(encoding=encoding), size=100)) == 3


def test_a_slice_is_small_and_comes_through_a_pickle():
    found = slices(of_sizes(*[100] * 1024), SETTINGS)

    assert pickle.loads(pickle.dumps(found)) == found
    assert len(pickle.dumps(found[0])) < 200 * 1024


LINES = st.lists(
    st.sampled_from(
        ["a", "b c", "é", "第三", " ", "\t", "\u3000", "\x0b", "\x1c", "\ufeff", "\u2028"]
    ),
    max_size=3,
).map("".join)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\r\r\n"])
TEXT = st.lists(st.tuples(LINES, ENDS), max_size=12).map(
    lambda lines: "".join(line + end for line, end in lines)
)


@settings(deadline=None, max_examples=200)
@given(
    text=TEXT,
    last=LINES,
    broken=st.booleans(),
    size=st.integers(1, 40),
    chunk=st.sampled_from([1, 2, 3, 5, 1 << 16]),
)
def test_txt_read_in_slices_is_the_file_read_whole(
    tmp_path_factory, text, last, broken, size, chunk
):
    content = (text + last).encode() + b"\xe9" * broken
    found = source(tmp_path_factory.mktemp("a") / "a.txt", content)
    dropping = config(undecodable="drop")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuts, "_CHUNK_BYTES", chunk)
        sliced = read(slices([found], dropping, size=size), dropping)

    assert sliced == read(whole(found), dropping)


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(TEXT, max_size=8), ends=st.lists(ENDS, min_size=8), size=st.integers(1, 60))
def test_jsonl_read_in_slices_is_the_file_read_whole(tmp_path_factory, texts, ends, size):
    rows = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    content = "".join(row + end for row, end in zip(rows, ends, strict=False))
    found = source(tmp_path_factory.mktemp("a") / "a.jsonl", content.encode())

    parts = slices([found], SETTINGS, size=size)

    assert [text for _, text in read(parts)] == texts
    assert read(parts) == read(whole(found))


@settings(deadline=None, max_examples=60)
@given(rows=st.integers(0, 30), group=st.integers(1, 7), size=st.integers(50, 3000))
def test_parquet_read_in_slices_is_the_file_read_whole(tmp_path_factory, rows, group, size):
    path = tmp_path_factory.mktemp("a") / "a.parquet"
    texts = [f"text {row}" for row in range(rows)]
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), path, row_group_size=group)

    parts = slices([source(path)], SETTINGS, size=size)

    assert [text for _, text in read(parts)] == texts


@settings(deadline=None, max_examples=60)
@given(size=st.integers(1, 200))
def test_several_files_keep_their_order_and_names(tmp_path_factory, size):
    folder = tmp_path_factory.mktemp("a")
    sources = [
        source(folder / "a.txt", b"one\n\ntwo\n\nthree\n"),
        source(folder / "b.jsonl", b'{"text": "four"}\n{"text": "five"}\n'),
        source(folder / "c.csv", b"text\nsix\n"),
        source(folder / "d.txt", b"seven"),
    ]

    assert read(slices(sources, SETTINGS, size=size)) == read(whole(*sources))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [10, 33, 64, 10_000])
def test_an_error_in_a_slice_names_the_line_in_the_file(tmp_path, size, end):
    rows = ['{"text": "fine"}'] * 40
    rows[30] = '{"text": '
    jsonl = source(tmp_path / "a.jsonl", end.join(rows).encode())
    lines = ["fine", ""] * 40
    lines[60] = "ol\udce9"
    txt = source(tmp_path / "a.txt", end.join(lines).encode("utf-8", "surrogateescape"))

    with pytest.raises(UserError, match=r"a\.jsonl, line 31: not valid JSON"):
        read(slices([jsonl], SETTINGS, size=size))
    with pytest.raises(UserError, match=r"a\.txt, line 61: .* not valid utf-8"):
        read(slices([txt], SETTINGS, size=size))


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", b"fine\n\n" * 99), ("a.jsonl", b'{"text": "fine"}\n' * 99)]
)
def test_the_lines_ahead_of_a_slice_are_counted_only_for_an_error(
    tmp_path, monkeypatch, name, content
):
    monkeypatch.setattr(cuts, "lines_before", None)

    assert len(read(slices([source(tmp_path / name, content)], SETTINGS, size=100))) == 99


def test_an_error_in_a_slice_of_parquet_names_the_row_in_the_file(tmp_path):
    rows = [b"fine"] * 10
    rows[7] = b"ol\xe9"
    table = pa.table({"text": pa.array(rows).view(pa.string())})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)

    with pytest.raises(UserError, match=r"a\.parquet, row 8: .* not valid utf-8"):
        read(slices([source(tmp_path / "a.parquet")], SETTINGS, size=100))


@settings(deadline=None, max_examples=60)
@given(text=TEXT, at=st.integers(1, 30), chunk=st.integers(1, 5))
def test_a_cut_stands_where_a_line_begins_whatever_the_chunks(tmp_path_factory, text, at, chunk):
    content = text.encode() + b"end"
    path = tmp_path_factory.mktemp("a") / "a.txt"
    path.write_bytes(content)
    at = min(at, len(content))
    starts = [match.end() for match in re.finditer(rb"\r\n|\r|\n", content)]
    expected = min([start for start in starts if start > at] or [len(content)])

    with pytest.MonkeyPatch.context() as patch, path.open("rb") as file:
        patch.setattr(cuts, "_CHUNK_BYTES", chunk)
        found = cuts.next_cut(file, at, len(content), cuts.LINE, "a.txt")
        before = cuts.lines_before(file, found)

    assert found == expected
    assert before == sum(start <= found for start in starts)


def test_a_file_without_a_place_to_cut_is_not_searched_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(cuts, "LONGEST", 1 << 16)
    found = source(tmp_path / "a.txt", b"a line\n" * 200_000)

    with pytest.raises(UserError, match=r"a\.txt, byte 466,666: a document of over 65,536"):
        read(slices([found], SETTINGS, size=500_000)[1:2])
