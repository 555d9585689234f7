"""A folder that fairseq-preprocess wrote, as a user trains on it and scores with it."""

import dataclasses
import itertools
import json
import random
import shutil

import pytest
from tests.fairseq_preprocess import preprocess

from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.model.presets import ROBERTA
from unmask.tokenizer.train import train

pytestmark = pytest.mark.e2e

GOOD, BAD = ("a fine", "a lovely", "a moving"), ("a dull", "a clumsy", "a hollow")
VOCABULARY = 320
TEXTS = [
    (f"{word} {thing} about {theme}", label)
    for label, words in (("1", GOOD), ("0", BAD))
    for word, thing, theme in itertools.product(
        words, ("film", "play", "tale", "story"), ("love", "war", "the sea", "a dog")
    )
]


@pytest.fixture(scope="module")
def line(command_line, tmp_path_factory):
    """A small model, what it is to fairseq, and SST-2 in its two forms, made for that model."""
    folder = tmp_path_factory.mktemp("fairseq")
    unmask = command_line(folder)
    tokenizer = train([text for text, _ in TEXTS], VOCABULARY)
    sizes = {"layers": 1, "width": 32, "heads": 2, "feed_forward": 64, "max_length": 32}
    model = MaskedLM(dataclasses.replace(ROBERTA["tiny"], vocabulary=VOCABULARY, **sizes))
    initialise(model, 0)
    weights.save(model, folder / "model")
    tokenizer.save(folder / "model")
    unmask.good("convert", "--model", "model", "--out", "fairseq")
    write_data(folder)
    return unmask


def write_data(folder):
    """Two thirds to learn from, most of them good, a third to score on."""
    random.Random(0).shuffle(TEXTS)
    rest, dev = TEXTS[32:], TEXTS[:32]
    learnt = [*rest, *(row for row in rest if row[1] == "1")]
    splits = {
        split: ([(text,) for text, _ in rows], [label for _, label in rows])
        for split, rows in (("train", learnt), ("valid", dev))
    }
    order = preprocess(folder / "fairseq", folder / "SST-2-bin", splits)
    assert order == ["1", "0"]
    shutil.copy(folder / "fairseq" / "encoder.json", folder / "SST-2-bin")
    (folder / "SST-2").mkdir()
    lines = ["sentence\tlabel", *("\t".join(row) for row in dev)]
    (folder / "SST-2" / "dev.tsv").write_text("\n".join(lines) + "\n")


FLAGS = ("--task", "sst2", "--data", "SST-2-bin", "--model", "model")


@pytest.fixture(scope="module")
def learnt(line):
    """The model folder of a fine-tuning on the folder."""
    line.good(
        *("finetune", *FLAGS, "--out", "run", "--epochs", "12", "--batch", "16"),
        *("--optim.peak-lr", "1e-2", "--precision", "fp32", "--device", "cpu"),
    )
    return line.folder / "run" / "model"


def test_labels_have_their_names_in_the_order_of_fairseq(learnt):
    config = json.loads((learnt / "config.json").read_text())
    inputs = json.loads((learnt / "manifest.json").read_text())["inputs"]

    assert config["id2label"] == {"0": "positive", "1": "negative"}
    assert "on `SST-2-bin` (task `sst2`)" in (learnt / "README.md").read_text()
    assert any(item["path"].endswith("label/dict.txt") for item in inputs)


def test_it_is_learnt_and_scored_as_the_table_of_the_same_texts(line, learnt):
    folder, table = (
        json.loads(line.good("evaluate", "--model", learnt, "--data", data).stdout)
        for data in ("SST-2-bin", "SST-2")
    )

    assert folder["examples"] == table["examples"] == 32
    assert folder["accuracy"] == table["accuracy"] > 0.9


def test_what_was_learnt_goes_back_to_fairseq_with_names_and_ids(line, learnt):
    line.good("convert", "--model", learnt, "--out", "back")

    assert (line.folder / "back/label/dict.txt").read_text() == "positive 1\nnegative 1\n"
    for name in ("dict.txt", "encoder.json", "vocab.bpe"):
        before = (line.folder / "fairseq" / name).read_bytes()
        assert (line.folder / "back" / name).read_bytes() == before, name


def test_without_the_numbers_of_its_tokens_it_is_one_line_of_error(line):
    shutil.copytree(line.folder / "SST-2-bin", line.folder / "bare")
    (line.folder / "bare" / "encoder.json").unlink()

    done = line("finetune", *FLAGS, "--data", "bare", "--out", "nothing")

    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert "bare/input0/dict.txt: its symbols are numbers of GPT-2's tokens" in error
    assert "put the encoder.json that the data was made with into the folder" in hint
    assert not (line.folder / "nothing").exists()
