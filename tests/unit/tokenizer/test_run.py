import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.corpus import store
from unmask.tokenizer.config import TokenizerConfig
from unmask.tokenizer.run import run
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

TEXTS = ["        the cat sat\n        on the mat        ", "the hat\n\non the cat"] * 3


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    writer = store.PartWriter(folder, "train")
    for number, text in enumerate(TEXTS):
        writer.add(store.Document(str(number), text, "test"))
    writer.flush()
    facts = {"train": {"documents": len(TEXTS)}}
    manifests.write(folder, store.STAGE, {}, [], facts)
    return folder


def test_training_writes_an_artifact_that_names_its_corpus(corpus, tmp_path):
    out = tmp_path / "out"
    run(TokenizerConfig(out=out, corpus=corpus, vocabulary=265))

    manifest = manifests.read(out)
    assert manifest.facts == {"vocabulary": 265, "family": "roberta", "kind": "trained"}
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


def test_a_failed_training_leaves_nothing(corpus, tmp_path):
    with pytest.raises(UserError, match="enough for"):
        run(TokenizerConfig(out=tmp_path / "out", corpus=corpus, vocabulary=9999))

    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
