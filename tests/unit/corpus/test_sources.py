import io
import os
import types
from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.corpus import sources


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["b.txt", "a.jsonl.gz", "sub/c.CSV", "sub/.hidden.txt", ".git/d.txt", "README.md"]:
        path = Path("texts") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def names(*words, out="corpus"):
    found = sources.find(words, out=Path(out), scratch=Path())
    return [source.name for source in found]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.txt", (".txt", "")),
        ("a.b.JSONL.Gz", (".jsonl", ".gz")),
        ("a.parquet.zst", (".parquet", ".zst")),
        ("a.gz", ("", ".gz")),
        (".txt", ("", "")),
    ],
)
def test_a_name_tells_format_and_packing(name, parts):
    assert sources.suffixes(Path(name)) == parts


def test_a_folder_gives_its_readable_files_in_sorted_order_without_hidden_ones(folder, capsys):
    assert names("texts") == ["texts/a.jsonl.gz", "texts/b.txt", "texts/sub/c.CSV"]
    assert capsys.readouterr().err == "texts: 1 files of other kinds are left out\n"


def test_globs_take_what_they_match_and_two_stars_go_into_folders(folder):
    assert names("texts/*") == ["texts/a.jsonl.gz", "texts/b.txt"]
    assert names("texts/**/*.C*") == ["texts/sub/c.CSV"]
    assert names(f"{folder}/texts/b.*") == [f"{folder}/texts/b.txt"]


def test_words_keep_their_order_and_a_file_named_twice_is_read_once(folder):
    assert names("texts/b.txt", "texts", str(folder / "texts/b.txt")) == [
        "texts/b.txt",
        "texts/a.jsonl.gz",
        "texts/sub/c.CSV",
    ]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(folder):
    Path("[a].txt").write_bytes(b"")

    assert names("[a].txt") == ["[a].txt"]


def test_what_lies_in_the_output_folder_is_no_source(folder):
    Path("corpus").mkdir()
    Path("corpus/train-00000.parquet").write_bytes(b"")

    assert not [name for name in names(".") if name.startswith("corpus/")]
    assert "corpus/train-00000.parquet" in names(".", out="other")


def test_standard_input_is_spooled_once_as_plain_text(folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"ol\xe9")))

    (source,) = sources.find(["-", "-"], out=Path("corpus"), scratch=folder)

    assert source.name == "<stdin>"
    assert source.path.suffix == ".txt"
    assert source.path.read_bytes() == b"ol\xe9"


@pytest.mark.parametrize(
    ("word", "complaint", "hint"),
    [
        ("gone.txt", "gone.txt: no such file or folder", "check the path"),
        ("texts/README.md", "texts/README.md: unknown suffix", ".txt .jsonl .csv .tsv .parquet"),
        ("texts/*.md", "texts/*.md: no file there that can be read", ".gz or .zst"),
        ("none/*.txt", "none/*.txt: no file there that can be read", ".gz or .zst"),
        ("empty", "empty: no file there that can be read", ".gz or .zst"),
    ],
)
def test_a_word_that_names_nothing_readable_is_an_error(folder, word, complaint, hint):
    Path("empty").mkdir()

    with pytest.raises(UserError) as error:
        names("texts", word)

    assert error.value.what == complaint
    assert hint in error.value.hint


def test_a_file_without_permission_is_an_error(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(UserError, match=r"texts/b\.txt: may not be read"):
        names("texts/b.txt")
