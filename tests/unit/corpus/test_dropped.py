"""What was dropped is counted whole and shown in part."""

import json
from pathlib import Path

import pytest

from unmask.core import manifests
from unmask.corpus import passes, store
from unmask.corpus.config import CorpusConfig, FilterConfig
from unmask.corpus.quality import dropped
from unmask.corpus.quality.dropped import Samples
from unmask.corpus.run import run

PROSE = "The cat sat on the mat, and the dog looked on from the other side of the room."


TALE = (
    "Every morning the baker opens his shop at five, lights the oven and kneads the dough, "
    "while the whole street is still asleep and only the cats walk over the warm roofs."
)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(texts, **settings):
    rows = [json.dumps({"text": text}) + "\n" for text in texts]
    Path("a.jsonl").write_text("".join(rows), encoding="utf-8")
    run(CorpusConfig(inputs=("a.jsonl",), out=Path("out"), workers=1, valid_fraction=0, **settings))
    return manifests.read(Path("out"))


def shown():
    return [json.loads(line) for line in Path("out", dropped.NAME).read_text().splitlines()]


def test_every_reason_is_counted_and_shown_with_its_documents():
    near = f"{TALE} So it was."
    texts = [TALE, PROSE, "", "hi", "= {} =" * 5, "ol\udce9", PROSE, near]
    limits = FilterConfig(min_characters=5, max_symbol_share=0.1, languages=("en",))
    texts.append("Die Katze saß auf der Matte, und der Hund sah von der anderen Seite zu.")

    facts = make(texts, undecodable="drop", filters=limits, near_duplicates=0.5).facts

    assert list(facts["dropped"].items()) == [
        *(("empty", 1), ("duplicate", 1), ("undecodable", 1)),
        *(("short", 1), ("symbols", 1), ("language", 1), ("near_duplicate", 1)),
    ]
    kept = [document.id for document in store.documents(Path("out"), "train")]
    assert shown() == [
        {"reason": "duplicate", "source": "a.jsonl", "text": PROSE, "kept": kept[1]},
        {"reason": "undecodable", "source": "a.jsonl", "text": "ol?"},
        {"reason": "short", "source": "a.jsonl", "text": "hi"},
        {"reason": "symbols", "source": "a.jsonl", "text": "= {} =" * 5},
        {"reason": "language", "source": "a.jsonl", "text": texts[-1]},
        {"reason": "near_duplicate", "source": "a.jsonl", "text": texts[-2], "kept": kept[0]},
    ]


def test_only_some_are_shown_and_of_each_the_beginning(monkeypatch):
    monkeypatch.setattr(passes, "SMALLEST_SLICE", 500)
    texts = [f"{number} is short" for number in range(100)] + [f"{PROSE} {PROSE}" * 10] * 2

    make(texts, filters=FilterConfig(min_characters=50))

    rows = shown()
    assert [row["reason"] for row in rows] == ["duplicate", *["short"] * dropped.SHOWN]
    assert rows[0]["text"] == texts[-1][:500]
    assert len({row["text"] for row in rows[1:]} & set(texts[:30])) < dropped.SHOWN


def test_where_nothing_was_dropped_there_is_nothing_to_show(capsys):
    manifest = make([PROSE])

    assert [output.path for output in manifest.outputs] == ["train-000000-0000.parquet"]
    assert dropped.NAME not in capsys.readouterr().err


def test_the_sample_of_a_slice_is_that_of_the_smallest_ranks_in_any_order(tmp_path):
    samples, reverse = Samples("000001"), Samples("000001")
    for number in range(100):
        samples.add("short", number, "a", str(number))
        reverse.add("short", 99 - number, "a", str(99 - number))

    samples.write(tmp_path / "one")
    reverse.write(tmp_path / "other")

    assert (tmp_path / "one").read_text() == (tmp_path / "other").read_text()
    assert len((tmp_path / "one").read_text().splitlines()) == dropped.SHOWN
