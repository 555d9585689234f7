import hashlib
import io
import json
import random
import resource
import sys
import types
from pathlib import Path

import pytest

from unmask import cli
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.corpus import passes, store
from unmask.corpus.config import CorpusConfig, FilterConfig
from unmask.corpus.run import run

OUT = Path("corpus")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(*inputs, out=OUT, **settings):
    run(CorpusConfig(inputs=inputs, out=out, **{"workers": 1} | settings))
    return manifests.read(out)


def texts(split="train", out=OUT):
    return [document.text for document in store.documents(out, split)]


def many(count, start=0):
    return "\n\n".join(f"Document {number}.\nIts end." for number in range(start, start + count))


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_documents_are_cleaned_named_by_hash_and_know_their_source():
    Path("a.txt").write_text("Cafe\u0301\tau lait \r\nEnd\n", encoding="utf-8", newline="")

    make("a.txt", valid_fraction=0)

    name = hashlib.sha256("Café au lait\nEnd".encode()).hexdigest()
    (document,) = store.documents(OUT, "train")
    assert document == store.Document(name[:16], "Café au lait\nEnd", "a.txt")


def test_repeats_are_dropped_after_cleaning_whatever_file_they_are_in():
    Path("a.txt").write_text("same\n\nother \n\nother", encoding="utf-8")
    Path("b.jsonl").write_text('{"text": "same\\n"}\n', encoding="utf-8")

    manifest = make("a.txt", "b.jsonl", valid_fraction=0)

    assert texts() == ["same", "other"]
    assert manifest.facts["dropped"]["duplicate"] == 2


def test_counts_stand_in_the_manifest_and_on_stderr(capsys):
    rows = ["one\n\ntwo\nthree", None, " \t", "ol\udce9", "four", "four"]
    lines = [json.dumps({"text": row}) + "\n" for row in rows]
    Path("a.jsonl").write_text("".join(lines), encoding="utf-8")

    facts = make("a.jsonl", valid_fraction=0, undecodable="drop").facts

    kept = {"documents": 2, "lines": 4, "characters": 18}
    dropped = {"empty": 2, "duplicate": 1, "undecodable": 1}
    none = dict.fromkeys(kept, 0)
    assert facts == {**kept, "read": 6, "train": kept, "valid": none, "dropped": dropped}
    assert capsys.readouterr().err.endswith(
        "corpus: 2 of 6 documents kept, 4 lines, 18 characters; "
        "dropped: 2 empty, 1 duplicate, 1 undecodable\n"
        "corpus/dropped.jsonl: some of what was dropped, by reason\n"
        "train: 2 documents\n"
        "valid: empty, no document's hash falls there; see --valid-fraction\n"
    )
    assert store.count(OUT, "train") == 2


def test_the_counts_are_those_of_the_documents_that_are_read_back():
    Path("a.txt").write_text(
        "\n\n".join("Größe 第三\n😀" * n for n in range(1, 99)), encoding="utf-8"
    )
    Path("b.jsonl").write_text(json.dumps({"text": "a\n\n\nb\n\nc\nd"}), encoding="utf-8")

    facts = make("a.txt", "b.jsonl", valid_fraction=0.3).facts

    for split in ("train", "valid"):
        found = texts(split)
        assert facts[split] == {
            "documents": len(found),
            "lines": sum(bool(line) for text in found for line in text.split("\n")),
            "characters": sum(map(len, found)),
        }
        assert len(found) > 10


def test_a_document_stays_on_its_side_when_the_corpus_grows():
    Path("a.txt").write_text(many(200), encoding="utf-8")
    Path("b.txt").write_text(many(300, start=100), encoding="utf-8")

    make("a.txt", out=Path("small"), valid_fraction=0.2)
    make("b.txt", "a.txt", out=Path("large"), valid_fraction=0.2)

    for split in ("train", "valid"):
        assert set(texts(split, Path("small"))) < set(texts(split, Path("large")))
    assert not set(texts("train", Path("large"))) & set(texts("valid", Path("large")))


def test_the_side_of_a_document_is_the_last_64_bits_of_its_hash():
    Path("a.txt").write_text(many(100), encoding="utf-8")

    make("a.txt", valid_fraction=0.3)

    for split in ("train", "valid"):
        for text in texts(split):
            draw = int.from_bytes(hashlib.sha256(text.encode()).digest()[-8:], "big") / 2**64
            assert (draw < 0.3) == (split == "valid")


def test_a_missing_extra_is_named_before_anything_is_read(monkeypatch):
    Path("a.txt").write_text(many(3), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "datasketch", None)

    with pytest.raises(UserError, match="--near-duplicates needs datasketch"):
        make("a.txt", near_duplicates=0.8)

    assert [path.name for path in Path().iterdir()] == ["a.txt"]


def test_the_same_inputs_give_the_same_bytes(monkeypatch):
    monkeypatch.setattr(store, "PART_CHARACTERS", 1000)
    monkeypatch.setattr(passes, "SMALLEST_SLICE", 2000)
    Path("texts").mkdir()
    for name in ("b.txt", "a.txt"):
        Path("texts", name).write_text(name + many(200, start=ord(name[0])), encoding="utf-8")

    one = make("texts", out=Path("one"), valid_fraction=0.3)
    other = make("texts", out=Path("other"), valid_fraction=0.3)

    assert len(one.outputs) > 4
    assert one.outputs == other.outputs


def test_standard_input_is_read_and_recorded_by_its_hash(monkeypatch):
    def pipe(content):
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(content)))

    pipe(b"one\n\ntwo\n")
    (recorded,) = make("-", valid_fraction=0).inputs
    pipe(b"another\n")
    with pytest.raises(UserError, match=r"holds another result \(the source  is another\)"):
        make("-", valid_fraction=0)

    assert (recorded.kind, recorded.path) == ("stdin", "")
    assert [document.source for document in store.documents(OUT, "train")] == ["<stdin>"] * 2


def test_a_corpus_that_is_done_is_left_alone_until_forced(capsys):
    Path("a.txt").write_text("text", encoding="utf-8")
    make("a.txt")
    before = (OUT / "manifest.json").stat().st_mtime_ns

    make("a.txt")
    assert "done already" in capsys.readouterr().err
    assert (OUT / "manifest.json").stat().st_mtime_ns == before

    make("a.txt", force=True)
    assert (OUT / "manifest.json").stat().st_mtime_ns > before


def test_a_changed_input_is_not_overwritten_unasked():
    Path("a.txt").write_text("text", encoding="utf-8")
    make("a.txt", valid_fraction=0)
    Path("a.txt").write_text("new text", encoding="utf-8")

    with pytest.raises(UserError, match="holds another result") as error:
        make("a.txt", valid_fraction=0)
    make("a.txt", valid_fraction=0, force=True)

    assert "--force" in error.value.hint
    assert texts() == ["new text"]


def test_a_corpus_with_nothing_in_it_is_an_error_and_no_folder():
    Path("a.jsonl").write_text('{"text": ""}\n{"text": null}\n', encoding="utf-8")

    with pytest.raises(UserError) as error:
        make("a.jsonl")

    assert error.value.what == (
        "nothing is left of 2 documents read (2 empty, 0 duplicate, 0 undecodable)"
    )
    assert not OUT.exists()


def test_a_run_that_fails_leaves_the_earlier_corpus_whole():
    Path("a.txt").write_text(many(100), encoding="utf-8")
    make("a.txt")
    before = snapshot(OUT)
    Path("b.jsonl").write_text('{"text": "fine"}\n{"text": \n', encoding="utf-8")

    with pytest.raises(UserError, match=r"b\.jsonl, line 2: not valid JSON"):
        make("a.txt", "b.jsonl", force=True)

    assert snapshot(OUT) == before
    assert not list(Path().glob(".*.part"))


def test_a_full_disk_is_one_line_and_leaves_the_earlier_corpus_whole(capsys):
    Path("a.txt").write_text("text", encoding="utf-8")
    make("a.txt")
    before = snapshot(OUT)
    Path("b.txt").write_text(random.Random(0).randbytes(200_000).hex(), encoding="utf-8")

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        code = cli.main(["corpus", "--inputs", "b.txt", "--out", "corpus", "--force"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert code == 2
    assert "error: no space left in the disk (File too large)" in capsys.readouterr().err
    assert snapshot(OUT) == before


def test_the_command_line_reports_an_error_as_two_lines(capsys):
    Path("a.csv").write_text("id,body\n1,a\n", encoding="utf-8")

    code = cli.main(["corpus", "--inputs", "a.csv", "--out", "corpus"])

    assert code == 2
    assert capsys.readouterr().err.endswith(
        "error: a.csv: no column text; there are id, body\n"
        "hint: --text-column names the column that holds the text\n"
    )
    assert not OUT.exists()


def test_a_corpus_of_wikipedia_has_the_counts_its_source_states(shared_data):
    facts = make(str(shared_data / "wiki_en" / "valid.txt.gz")).facts

    assert (facts["read"], facts["lines"]) == (204, 2503)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("a.jsonl", {"txt_documents": "file"}, "--txt-documents file: no input is a .txt file"),
        ("a.txt", {"text_column": "body"}, "--text-column body: all inputs are .txt"),
        ("a.jsonl", {"filters": FilterConfig(languages=("klingon",))}, "klingon: no such language"),
        ("-", {"engine": "ray", "address": "auto"}, "cannot read this machine's standard input"),
    ],
)
def test_a_setting_that_could_not_take_effect_is_refused(name, settings, said, monkeypatch):
    Path(name).write_text('{"text": "A line."}\n')
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"A line.")))

    with pytest.raises(UserError) as caught:
        make(name, **settings)

    assert said in caught.value.what
    assert not OUT.exists()
