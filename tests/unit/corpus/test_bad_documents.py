"""Documents as they come: emoji, control characters, wrong bytes, no line ends."""

import json
from pathlib import Path

import pytest

from unmask.core import locations, manifests
from unmask.core.errors import UserError
from unmask.corpus import store
from unmask.corpus.config import CorpusConfig, FilterConfig
from unmask.corpus.run import run


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(content, name="a.txt", out="out", **settings):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    out = locations.location(out)
    run(CorpusConfig(inputs=(name,), out=out, workers=1, **{"valid_fraction": 0} | settings))
    facts = manifests.read(out).facts
    return [document.text for document in store.documents(out, "train")], facts["dropped"]


def test_documents_of_nothing_but_emoji_are_kept_unless_symbols_are_limited():
    content = "😀👩\u200d👩\u200d👧\n\nplain text\n\n👍🏽"

    assert make(content)[0] == ["😀👩\u200d👩\u200d👧", "plain text", "👍🏽"]
    limits = FilterConfig(max_symbol_share=0.3)
    assert make(content, out="other", filters=limits)[0] == ["plain text"]


def test_stray_nul_bytes_are_removed():
    texts, dropped = make(b"some\x00 text with a few\x00 NULs\n\n" + b"clean text")

    assert texts == ["some text with a few NULs", "clean text"]
    assert sum(dropped.values()) == 0


def test_documents_in_another_encoding_are_dropped_alone():
    content = "Fähre über den Fluß\n\n".encode() + "Fähre\n\n".encode("latin-1") + b"last"

    with pytest.raises(UserError, match=r"a\.txt, line 3: the document there is not valid utf-8"):
        make(content)
    texts, dropped = make(content, undecodable="drop")

    assert texts == ["Fähre über den Fluß", "last"]
    assert dropped == {"empty": 0, "duplicate": 0, "undecodable": 1}


def test_a_line_of_megabytes_is_one_document():
    line = "word and another " * 200_000
    rows = [json.dumps({"text": text}) + "\n" for text in ("first", line, "last")]

    texts, _ = make("".join(rows), name="a.jsonl")

    assert texts == ["first", line.rstrip(), "last"]


def test_a_corpus_may_lie_in_an_object_store(tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))
    content = "\n\n".join(f"document {number % 50}" for number in range(100))
    here, dropped = make(content, valid_fraction=0.2)
    settings = {"valid_fraction": 0.2, "near_duplicates": 0.9}

    there = make(content, out="memory://test-a-corpus", **settings)

    assert there == (here, dropped | {"near_duplicate": 0})
    folder = locations.location("memory://test-a-corpus")
    assert [part.name for part in store.parts(folder, "valid")] == ["valid-000000-0000.parquet"]
    assert not (folder / "work").exists()
