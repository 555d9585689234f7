"""`unmask convert` as a user runs it: to fairseq, back again, and what is said when it cannot."""

import dataclasses
import os

import pytest
import torch

from unmask.model import weights
from unmask.model.heads import SequenceClassifier
from unmask.model.presets import ROBERTA
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.byte_letters import LETTERS

pytestmark = pytest.mark.e2e

FAIRSEQ = {"model.pt", "dict.txt", "encoder.json", "vocab.bpe", "label", "README.md"}


class MakesFolder:
    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.fixture
def line(command_line, tmp_path):
    """A folder with the model folder `topics`, a classifier."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *LETTERS, "th", "<mask>"]
    tokenizer = byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [("t", "h")])
    sizes = dataclasses.replace(ROBERTA["tiny"], vocabulary=tokenizer.vocabulary, width=32)
    model = SequenceClassifier(sizes, ("land", "water"))
    torch.nn.init.zeros_(model.encoder.embedding.token_type.weight)
    weights.save(model, tmp_path / "topics")
    tokenizer.save(tmp_path / "topics")
    return command_line(tmp_path)


def test_a_classifier_goes_to_fairseq_and_comes_back(line):
    line.good("convert", "--model", "topics", "--out", "fairseq", "--head", "topics")
    assert {path.name for path in (line.folder / "fairseq").iterdir()} == {
        *FAIRSEQ,
        "manifest.json",
    }

    done = line.good("convert", "--model", "fairseq/model.pt", "--out", "again")

    assert "the head topics is taken; left out: lm_head" in done.stderr
    for path in (line.folder / "topics").iterdir():
        assert (line.folder / "again" / path.name).read_bytes() == path.read_bytes(), path.name
    chain = line.good("lineage", "again").stdout
    assert [word in chain for word in ("convert  again", "convert  fairseq", "model  ")] == [
        True
    ] * 3
    once_more = line.good("convert", "--model", "fairseq/model.pt", "--out", "again")
    assert "done already" in once_more.stderr


def test_what_is_wrong_is_one_line_and_nothing_is_written(line):
    done = line("convert", "--model", "topics", "--out", "nothing", "--labels", "a", "b")

    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert error == "error: --labels does not go with the model folder topics"
    assert hint == "hint: the folder brings its own; leave the flag out"
    assert not (line.folder / "nothing").exists()


def test_a_pickle_that_would_run_is_not_run(line):
    torch.save({"model": {}, "args": MakesFolder()}, line.folder / "model.pt")
    line.good("convert", "--model", "topics", "--out", "fairseq")
    for name in ("dict.txt", "encoder.json", "vocab.bpe"):
        (line.folder / "fairseq" / name).rename(line.folder / name)

    done = line("convert", "--model", "model.pt", "--out", "nothing")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (line.folder / "ran").exists()
