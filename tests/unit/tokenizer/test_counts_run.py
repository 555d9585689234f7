from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.corpus import store
from unmask.tokenizer import counts, counts_run
from unmask.tokenizer.counts_config import CountsConfig
from unmask.tokenizer.counts_run import run
from unmask.tokenizer.pretokens import SCHEMA

TEXTS = ["  the cat sat\n on the mat  ", "the hat\n\non the cat", "don't", "猫 the cat"]


@pytest.fixture
def corpus(tmp_path):
    def make(texts, name="corpus", part_documents=99):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(0, len(texts), part_documents):
            with store.PartWriter(folder, f"train-{number:03d}") as writer:
                for text in texts[number : number + part_documents]:
                    writer.add(store.Document(text, text, "test"))
        manifests.write(folder, store.STAGE, {}, [], {"train": {"documents": len(texts)}})
        return folder

    return make


def count(corpus, out, **settings):
    run(CountsConfig(out=out, corpus=corpus, workers=1, **settings))
    return out


def contents(folder):
    table = pa.concat_tables(counts.read(folder / counts.NAME))
    return dict(zip(table["word"].to_pylist(), table["count"].to_pylist(), strict=True))


def planted(folder, words, total=None):
    """Write an artifact of counts that no test could take the time to count."""
    folder.mkdir()
    table = pa.table(
        [pa.array(sorted(words), pa.binary()), [words[w] for w in sorted(words)]], SCHEMA
    )
    facts = counts.write(folder / counts.NAME, [table.cast(SCHEMA)])
    facts = {**facts, "words": facts["words"] if total is None else total, "runs": 1}
    manifests.write(folder, counts.STAGE, {}, [], {**facts, "pretokens": counts.PRETOKENS})
    return folder


def test_a_corpus_is_counted_by_its_stripped_lines(corpus, tmp_path):
    out = count(corpus(TEXTS), tmp_path / "out")

    words = "the, cat, sat,on, the, mat,the, hat,on, the, cat,don,'t,猫, the, cat"
    assert contents(out) == dict(Counter(word.encode() for word in words.split(",")))
    manifest = manifests.read(out)
    assert manifest.facts == {"distinct_words": 10, "words": 16, "runs": 1, "pretokens": "gpt-2"}
    assert [output.path for output in manifest.outputs] == [counts.NAME]
    assert Path(manifests.linked(out, "corpus")).resolve() == (tmp_path / "corpus").resolve()


def test_parts_and_shards_give_the_bytes_of_the_whole(corpus, tmp_path, monkeypatch):
    whole = count(corpus(TEXTS), tmp_path / "whole")
    monkeypatch.setattr(counts_run, "FAN_IN", 2)
    parts = count(corpus(TEXTS, "in-parts", part_documents=1), tmp_path / "parts")
    shards = [
        count(corpus(texts, f"corpus-{number}"), tmp_path / f"shard-{number}")
        for number, texts in enumerate([TEXTS[:1], TEXTS[1:3], TEXTS[3:]])
    ]
    run(CountsConfig(out=tmp_path / "sum", merge=tuple(shards), workers=1))

    expected = (whole / counts.NAME).read_bytes()
    assert (parts / counts.NAME).read_bytes() == expected
    assert (tmp_path / "sum" / counts.NAME).read_bytes() == expected
    assert manifests.read(parts).facts["runs"] == 4
    assert manifests.read(tmp_path / "sum").facts["words"] == 16
    assert [item.role for item in manifests.read(tmp_path / "sum").inputs] == ["counts"] * 3


def test_counts_beyond_32_bits_add_up(tmp_path):
    first = planted(tmp_path / "a", {b" the": 2**32 - 1, b"x": 1})
    second = planted(tmp_path / "b", {b" the": 2**40, b"y": 2**31})
    run(CountsConfig(out=tmp_path / "sum", merge=(first, second), workers=1))

    assert contents(tmp_path / "sum") == {b" the": 2**40 + 2**32 - 1, b"x": 1, b"y": 2**31}


def test_counts_that_64_bits_cannot_hold_are_refused(tmp_path):
    shards = tuple(planted(tmp_path / name, {name.encode(): 2**62}) for name in "ab")

    with pytest.raises(UserError, match="9,223,372,036,854,775,808 words are too many"):
        run(CountsConfig(out=tmp_path / "sum", merge=shards, workers=1))


def test_counts_that_do_not_add_up_to_what_their_manifest_says_are_refused(tmp_path):
    shards = planted(tmp_path / "a", {b"a": 5}), planted(tmp_path / "b", {b"b": 5}, total=6)

    with pytest.raises(UserError, match="add up to 10 words, their manifests say 11"):
        run(CountsConfig(out=tmp_path / "sum", merge=shards, workers=1))


def test_the_same_counts_twice_are_refused(tmp_path):
    shards = planted(tmp_path / "a", {b"a": 5}), planted(tmp_path / "b", {b"a": 5})

    with pytest.raises(UserError, match=r"/a and .*/b hold the same counts"):
        run(CountsConfig(out=tmp_path / "sum", merge=shards, workers=1))


def test_what_is_no_artifact_of_counts_is_not_added(corpus, tmp_path):
    shards = planted(tmp_path / "a", {b"a": 5}), corpus(TEXTS)

    with pytest.raises(UserError, match="was written by unmask corpus and holds no counts"):
        run(CountsConfig(out=tmp_path / "sum", merge=shards, workers=1))


@pytest.mark.parametrize("texts", [[], [" \n "]])
def test_a_corpus_without_text_is_refused(corpus, tmp_path, texts):
    with pytest.raises(UserError, match="its train split holds no text"):
        count(corpus(texts), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_was_stopped_counts_only_what_is_missing(corpus, tmp_path, monkeypatch, capsys):
    folder = corpus(TEXTS, part_documents=2)
    with monkeypatch.context() as patch:
        patch.setattr(counts_run, "merge_runs", lambda task: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            count(folder, tmp_path / "out")
    monkeypatch.setattr(counts_run, "count_part", lambda task: 1 / 0)
    count(folder, tmp_path / "out")

    assert "2 of 2 tasks were done before" in capsys.readouterr().err
    assert len(contents(tmp_path / "out")) == 10


def test_what_is_done_is_not_done_again(corpus, tmp_path, capsys):
    folder = corpus(TEXTS)
    count(folder, tmp_path / "out")
    run(CountsConfig(out=tmp_path / "out", corpus=folder, workers=3))

    assert "done already" in capsys.readouterr().err


def test_a_saved_config_repeats_itself(tmp_path):
    config = CountsConfig(out=Path("o"), merge=(Path("a"), Path("b")))
    configs.save(config, tmp_path / "recipe.toml")

    words = ["--recipe", str(tmp_path / "recipe.toml")]
    assert configs.parse(CountsConfig, words, prog="unmask counts") == config
