import bz2
import gzip
import io
import json
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from unmask.core.errors import UserError
from unmask.infer import texts
from unmask.infer.config import PredictConfig
from unmask.infer.texts import Text

LINES = "one\r\n\n  \ntwo \u2028 lines\nthree"
EXPECTED = [Text("one"), Text("two \u2028 lines"), Text("three")]


def read(**settings):
    return list(texts.read(PredictConfig(model=Path("model"), **settings)))


@pytest.fixture
def stdin(monkeypatch):
    """Puts bytes into stdin, and says whether it is a terminal."""

    def put(content, *, terminal=False):
        stream = SimpleNamespace(buffer=content, isatty=lambda: terminal)
        monkeypatch.setattr("sys.stdin", stream)

    return put


def test_texts_of_flags_are_kept_as_they_are():
    assert read(text=(" a ", "b\nc")) == [Text(" a "), Text("b\nc")]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_that_hold_something_are_the_texts_of_a_file_and_of_stdin(tmp_path, stdin, mark):
    content = (mark + LINES).encode()
    for name, packed in (("a.txt", content), ("b.txt.gz", gzip.compress(content))):
        (tmp_path / name).write_bytes(packed)
        assert read(input=tmp_path / name) == EXPECTED
    (tmp_path / "c.txt.bz2").write_bytes(bz2.compress(content))
    assert read(input=tmp_path / "c.txt.bz2") == EXPECTED
    stdin(io.BytesIO(content))
    assert read() == EXPECTED


def test_an_endless_stream_is_read_as_it_comes(stdin):
    stdin(b"again\n" for _ in iter(int, 1))

    found = texts.read(PredictConfig(model=Path("model")))

    assert list(islice(found, 3)) == [Text("again")] * 3


def test_a_person_at_a_terminal_is_told_what_is_waited_for(stdin, capsys):
    stdin(io.BytesIO(b"a\n"), terminal=True)

    assert read() == [Text("a")]

    assert "one text a line" in capsys.readouterr().err
    assert texts.typed(PredictConfig(model=Path("model")))
    assert not texts.typed(PredictConfig(model=Path("model"), text=("a",)))
    stdin(io.BytesIO(b""))
    assert not texts.typed(PredictConfig(model=Path("model")))


def test_an_empty_stream_has_no_texts_and_an_empty_file_is_refused(tmp_path, stdin):
    stdin(io.BytesIO(b"\n \n"))
    (tmp_path / "a.txt").write_bytes(b"\n \n")

    assert read() == []
    with pytest.raises(UserError, match=r"a\.txt: has no texts"):
        read(input=tmp_path / "a.txt")


def test_the_columns_of_a_table(tmp_path):
    rows = [{"text": "a", "other": "b", "n": 1}, {"text": "c", "other": "d", "n": 2}]
    table = tmp_path / "rows.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert read(input=table) == [Text("a"), Text("c")]
    assert read(input=table, text_column="n") == [Text("1"), Text("2")]
    assert read(input=table, pair_column="other") == [Text("a", "b"), Text("c", "d")]
    assert read(input=table, pair="e") == [Text("a", "e"), Text("c", "e")]


def test_one_second_text_goes_with_every_first_one(tmp_path, stdin):
    stdin(io.BytesIO(b"a\nc\n"))
    (tmp_path / "a.txt").write_text("d\n")

    assert read(text=("a", "b"), pair="e") == [Text("a", "e"), Text("b", "e")]
    assert read(pair="e") == [Text("a", "e"), Text("c", "e")]
    assert read(input=tmp_path / "a.txt", pair="e") == [Text("d", "e")]


@pytest.mark.parametrize(
    ("name", "content", "what", "hint"),
    [
        ("none.txt", None, "no such file", "path"),
        ("a.txt", b"ok\nF\xe4hre\n", "line 2 is not UTF-8", "UTF-8"),
        ("a.txt.gz", b"no gzip", "damaged", "again"),
        ("a.txt.gz", gzip.compress(b"a\n" * 999, mtime=0)[:-12], "damaged", "again"),
        ("a.json", b"{}", "for models that answer questions", ".txt"),
        ("a.pdf", b"", "unknown kind of table", ".tsv"),
        ("a.tsv", b"x\ny\n", "no column 'text'; there is 'x'", "--text-column"),
        ("a.tsv", b"text\n", "has no rows", "header"),
        ("a.jsonl", b'{"text": ""}\n', "column 'text' is empty", "fill it"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path, name, content, what, hint):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UserError) as caught:
        read(input=path)

    assert str(path) in caught.value.what
    assert what in caught.value.what
    assert hint in caught.value.hint
    assert "--columns" not in caught.value.hint


def test_a_folder_is_no_file_of_texts(tmp_path):
    (tmp_path / "a.txt").mkdir()

    with pytest.raises(UserError, match="a folder, not a file"):
        read(input=tmp_path / "a.txt")
