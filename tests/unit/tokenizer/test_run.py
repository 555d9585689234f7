import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.corpus import store
from unmask.tokenizer.config import TokenizerConfig
from unmask.tokenizer.counts_config import CountsConfig
from unmask.tokenizer.counts_run import run as run_counts
from unmask.tokenizer.run import run
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

TEXTS = ["        the cat sat\n        on the mat        ", "the hat\n\non the cat"] * 3


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    with store.PartWriter(folder, "train") as writer:
        for number, text in enumerate(TEXTS):
            writer.add(store.Document(str(number), text, "test"))
    facts = {"train": {"documents": len(TEXTS)}}
    manifests.write(folder, store.STAGE, {}, [], facts)
    return folder


def test_training_writes_an_artifact_that_names_its_corpus(corpus, tmp_path):
    out = tmp_path / "out"
    run(TokenizerConfig(out=out, corpus=corpus, vocabulary=265))

    manifest = manifests.read(out)
    assert manifest.facts == {
        "vocabulary": 265,
        "family": "roberta",
        "kind": "trained",
        "merges": 4,
        "distinct_words": 7,
        "words": 33,
        "min_count": 1,
        "left_out_words": 0,
        "left_out_share": 0.0,
    }
    assert manifests.linked(out, "corpus").resolve() == corpus.resolve()
    assert {output.path for output in manifest.outputs} == {
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "vocab.json",
        "merges.txt",
    }


def test_training_sees_the_stripped_lines_of_the_documents(corpus, tmp_path):
    run(TokenizerConfig(out=tmp_path / "out", corpus=corpus, vocabulary=265))

    lines = [line.strip() for text in TEXTS for line in text.split("\n")]
    assert Tokenizer.load(tmp_path / "out").json == train(lines, 265).json


def test_what_is_done_is_not_done_again(corpus, tmp_path, capsys):
    config = TokenizerConfig(out=tmp_path / "out", corpus=corpus, vocabulary=265)
    run(config)
    made = (tmp_path / "out" / "tokenizer.json").stat().st_mtime_ns
    run(config)

    assert (tmp_path / "out" / "tokenizer.json").stat().st_mtime_ns == made
    assert "done already" in capsys.readouterr().err


def test_importing_names_the_files_it_read(tmp_path):
    train(["the cat sat on the mat"] * 3, 265).save(tmp_path / "source")
    run(TokenizerConfig(out=tmp_path / "out", import_from=tmp_path / "source"))

    manifest = manifests.read(tmp_path / "out")
    names = [item.path.rpartition("/")[2] for item in manifest.inputs]
    assert names == ["tokenizer.json", "tokenizer_config.json"]
    assert manifest.facts == {"vocabulary": 265, "family": "roberta", "kind": "transformers"}


def test_training_on_counts_gives_the_tokenizer_of_the_corpus(corpus, tmp_path):
    run_counts(CountsConfig(out=tmp_path / "counts", corpus=corpus, workers=1))
    run(TokenizerConfig(out=tmp_path / "a", counts=tmp_path / "counts", vocabulary=265))
    run(TokenizerConfig(out=tmp_path / "b", corpus=corpus, vocabulary=265))

    assert manifests.read(tmp_path / "a").digest == manifests.read(tmp_path / "b").digest
    assert manifests.linked(tmp_path / "a", "counts").resolve() == (tmp_path / "counts").resolve()


def test_training_on_something_else_than_counts_is_refused(corpus, tmp_path):
    with pytest.raises(UserError, match="was written by unmask corpus and holds no counts"):
        run(TokenizerConfig(out=tmp_path / "out", counts=corpus, vocabulary=265))


def test_rare_words_are_left_out_on_demand_and_that_is_said(corpus, tmp_path, capsys):
    run(TokenizerConfig(out=tmp_path / "out", corpus=corpus, vocabulary=263, min_count=6))

    facts = manifests.read(tmp_path / "out").facts
    assert (facts["min_count"], facts["left_out_words"]) == (6, 3)
    assert facts["left_out_share"] == pytest.approx(9 / 33)
    said = capsys.readouterr().err
    assert "seen less than 6 times are left out: 3 of 7, which make up 27.27% of the text" in said


def test_a_failed_training_keeps_the_counts_for_another_vocabulary(corpus, tmp_path, capsys):
    with pytest.raises(UserError, match="enough for"):
        run(TokenizerConfig(out=tmp_path / "out", corpus=corpus, vocabulary=9999))
    assert not (tmp_path / "out").exists()

    run(TokenizerConfig(out=tmp_path / "out", corpus=corpus, vocabulary=265))
    assert "count words: 1 of 1 tasks were done before" in capsys.readouterr().err
    assert not (tmp_path / "out" / "work").exists()


OTHER = ["the catalysis of the hattrick\non catalysis"] * 4


def corpus_of(folder, texts):
    folder.mkdir()
    with store.PartWriter(folder, "train") as writer:
        for number, text in enumerate(texts):
            writer.add(store.Document(str(number), text, "test"))
    manifests.write(folder, store.STAGE, {}, [], {"train": {"documents": len(texts)}})
    return folder


def test_extending_names_what_was_extended_and_tells_what_it_brought(corpus, tmp_path, capsys):
    run(TokenizerConfig(out=tmp_path / "old", corpus=corpus, vocabulary=265))
    other = corpus_of(tmp_path / "other", OTHER)
    config = TokenizerConfig(
        out=tmp_path / "new", corpus=other, extend=tmp_path / "old", vocabulary=270
    )
    run(config)

    manifest = manifests.read(tmp_path / "new")
    facts = manifest.facts
    assert {name: facts[name] for name in ("kind", "vocabulary", "new", "words")} == {
        "kind": "extended",
        "vocabulary": 270,
        "new": 5,
        "words": 28,
    }
    assert facts["tokens_per_word"] < facts["tokens_per_word_before"]
    said = f"5 ids are new, 265 are those of {tmp_path / 'old'}; a word takes "
    assert said in capsys.readouterr().err
    assert manifests.linked(tmp_path / "new", "extended").resolve() == (tmp_path / "old").resolve()
    assert manifests.linked(tmp_path / "new", "corpus").resolve() == other.resolve()

    run(config)
    assert "done already" in capsys.readouterr().err


def test_a_folder_without_a_manifest_is_extended_and_its_files_are_named(corpus, tmp_path):
    train(["the cat sat on the mat"] * 3, 265).save(tmp_path / "source")
    run(
        TokenizerConfig(
            out=tmp_path / "out", corpus=corpus, extend=tmp_path / "source", vocabulary=267
        )
    )

    inputs = manifests.read(tmp_path / "out").inputs
    names = [item.path.rpartition("/")[2] for item in inputs if item.role == "extended"]
    assert names == ["tokenizer.json", "tokenizer_config.json"]


def test_what_cannot_be_extended_is_refused_before_a_word_is_counted(corpus, tmp_path, capsys):
    train(["the cat sat on the mat"] * 3, 265).save(tmp_path / "source")

    with pytest.raises(UserError, match=r"--vocabulary 265: .* has 265 ids already"):
        run(
            TokenizerConfig(
                out=tmp_path / "out", corpus=corpus, extend=tmp_path / "source", vocabulary=265
            )
        )

    assert "count" not in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_failed_extension_keeps_the_counts_for_any_other(corpus, tmp_path, capsys):
    train(["the cat sat on the mat"] * 3, 265).save(tmp_path / "source")
    train(["a dog"] * 3, 264).save(tmp_path / "another")
    with pytest.raises(UserError, match="enough for"):
        run(
            TokenizerConfig(
                out=tmp_path / "out", corpus=corpus, extend=tmp_path / "source", vocabulary=9999
            )
        )

    run(
        TokenizerConfig(
            out=tmp_path / "out", corpus=corpus, extend=tmp_path / "another", vocabulary=266
        )
    )
    assert "count words: 1 of 1 tasks were done before" in capsys.readouterr().err
