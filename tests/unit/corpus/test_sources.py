import io
import os
import sys
import types
from pathlib import Path

import pytest

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.locations import location
from unmask.corpus.inputs import sources
from unmask.corpus.inputs.sources import Source


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ["b.txt", "a.jsonl.gz", "sub/c.CSV", "sub/.hidden.txt", ".git/d.txt", "README.md"]:
        path = Path("texts") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def found(*words, out="corpus"):
    return sources.find(words, out=location(out), scratch=Path())


def names(*words, out="corpus"):
    return [source.name for source in found(*words, out=out)]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.txt", (".txt", "")),
        ("a.b.JSONL.Gz", (".jsonl", ".gz")),
        ("a.parquet.zst", (".parquet", ".zst")),
        ("a.json.BZ2", (".json", ".bz2")),
        ("a.xz", ("", ".xz")),
        (".txt", ("", "")),
        ("wiki_00", (".wiki", "")),
        ("AA/wiki_123.bz2", (".wiki", ".bz2")),
        ("en.wiki", (".wiki", "")),
        ("my_wiki_00", ("", "")),
        ("wiki_en", ("", "")),
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


def test_json_among_other_files_has_to_be_asked_for(folder):
    Path("texts/d.json").write_bytes(b"[]")
    Path("texts/e.json.gz").write_bytes(b"[]")

    assert not [name for name in names("texts") + names("texts/*") if ".json" in name[-8:-1]]
    assert names("texts/d.json", "texts/*.json.gz") == ["texts/d.json", "texts/e.json.gz"]


def test_what_lies_in_the_output_folder_is_no_source(folder):
    Path("corpus").mkdir()
    Path("corpus/train-00000.parquet").write_bytes(b"")

    assert not [name for name in names(".") if name.startswith("corpus/")]
    assert "corpus/train-00000.parquet" in names(".", out="other")


def test_standard_input_is_spooled_once_as_plain_text(folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"ol\xe9")))

    (source,) = sources.find(["-", "-"], out=Path("corpus"), scratch=folder)

    assert (source.name, source.bytes) == ("<stdin>", 3)
    assert source.path.suffix == ".txt"
    assert source.path.read_bytes() == b"ol\xe9"


@pytest.mark.parametrize(
    ("word", "complaint", "hint"),
    [
        ("gone.txt", "gone.txt: no such file or folder", "check the path"),
        ("texts/README.md", "texts/README.md: unknown suffix", ".txt .jsonl .json .csv .tsv"),
        ("texts/*.md", "texts/*.md: no file there that can be read", ".gz .bz2 .xz .zst"),
        ("none/*.txt", "none/*.txt: no file there", "check the path or the glob"),
        ("empty", "empty: no file there", "check the path or the glob"),
        ("memory://none/x", "memory://none/x: no such file or folder", "check the bucket"),
        ("memory://none/*", "memory://none/*: no file there", "the bucket"),
        ("nowhere://x/y", "nowhere://x/y: Unsupported filesystem: 'nowhere'", "s3:// gs:// hf://"),
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


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)

    with pytest.raises(UserError, match="gs:// needs a package") as error:
        names("gs://bucket/dir")

    assert error.value.hint.startswith("pip install 'unmask[")


def test_a_local_file_is_identified_by_its_contents(folder):
    Path("a.txt").write_bytes(b"text")

    (source,) = found("a.txt")

    assert sources.identity(source) == files.sha256(Path("a.txt"))


def test_a_source_is_told_by_its_path_name_and_size(folder):
    Path("a.txt").write_bytes(b"text")

    assert found("a.txt") == [Source(Path("a.txt"), "a.txt", 4)]
