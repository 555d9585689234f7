"""Small stand-ins for what fine-tuning is made of: sequences, a task, a judge, a model folder."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unmask.finetune.build import build_trainer
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.examples import Examples
from unmask.finetune.inputs import Maker
from unmask.finetune.losses import OneClass
from unmask.finetune.sequences import Sequences
from unmask.finetune.task import Head, Split, Task
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, SequenceClassifier, build
from unmask.model.init import initialise
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.train import train
from unmask.train.config import OptimConfig
from unmask.train.ranks import Ranks

BOS, PAD, EOS, VOCABULARY = 0, 1, 2, 40
CPU = torch.device("cpu")
ALONE = Ranks(CPU)
FAMILIES = ("roberta", "bert")
LABELS = ("even", "odd")
TOKENIZER = SimpleNamespace(pad_id=PAD)
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", *(f"##{x}" for x in "abcdefgh")]

both_families = pytest.mark.parametrize("family", FAMILIES)


def sizes(family="roberta", dropout=0.0, layers=2, max_length=32):
    return ModelConfig(
        family=family,
        vocabulary=VOCABULARY,
        layers=layers,
        width=16,
        heads=2,
        feed_forward=24,
        max_length=max_length,
        types=1 if family == "roberta" else 2,
        norm_eps=1e-5,
        dropout=dropout,
        attention_dropout=dropout,
        init_std=0.2,
        pad_id=PAD,
    )


def model_of(kind=SequenceClassifier, family="roberta", *, labels=LABELS, seed=1, **shape):
    model = build(kind, sizes(family, **shape), labels if "Classif" in kind.__name__ else ())
    initialise(model, seed)
    return model


def sequences(count=40, *, least=4, most=24, seed=0):
    """Random ones, of two segments each; the second token is 4 or 5."""
    dice = np.random.default_rng(seed)
    lengths_N = dice.integers(least, most + 1, count)
    ids = [
        [BOS, dice.integers(4, 6), *dice.integers(6, VOCABULARY, length - 3), EOS]
        for length in lengths_N
    ]
    types = [[0] * (length // 2) + [1] * (length - length // 2) for length in lengths_N]
    return Sequences.of(ids, types)


def maker(family):
    return Maker(PAD, typed=family == "bert")


def parity(some):
    """The class of each sequence: whether its second token is an odd number."""
    return (some.ids_T[some.starts_N1[:-1] + 1] % 2).astype(np.int64)


@dataclasses.dataclass
class FakeJudge:
    """Scores the accuracy and the mean probability of what is right, which has no ties."""

    gold_N: np.ndarray

    def scores(self, logits):
        shifted = np.exp(logits - logits.max(1, keepdims=True))
        right_N = (shifted / shifted.sum(1, keepdims=True))[np.arange(len(logits)), self.gold_N]
        accuracy = (logits.argmax(1) == self.gold_N).mean()
        return {"trust": float(right_N.mean()), "accuracy": float(accuracy)}

    def details(self, logits):
        return {}

    def settled(self, logits):
        return {}

    def stuck(self, logits):
        return False

    def write(self, logits, folder):
        raise NotImplementedError


def task(count=40, *, judge=None, **lengths):
    """Tell by its second token whether a sequence is even or odd."""
    train, dev = sequences(count, **lengths), sequences(16, seed=1, **lengths)
    return Task(
        head=Head(SequenceClassifier, LABELS, "single_label_classification"),
        loss=OneClass(),
        metrics=("trust", "accuracy"),
        metric="trust",
        train=Examples(train, parity(train)),
        dev=Split("", Examples(dev, parity(dev)), judge or FakeJudge(parity(dev))),
        facts={},
    )


def config(model, **flags):
    rates = {"peak_lr": 1e-2, "weight_decay": 0.1, "clip_norm": 0.0}
    optim = OptimConfig(**{name: flags.pop(name, value) for name, value in rates.items()})
    flags = {"batch": 8, "warmup_steps": 0, "steps": 10, "device": "cpu"} | flags
    paths = {"data": Path("d"), "out": Path("o")}
    return FinetuneConfig(**{"model": model, "optim": optim, "precision": "fp32"} | paths | flags)


def trainer(model, what=None, *, attempt=0, **flags):
    """A trainer built as `unmask finetune` builds it."""
    return build_trainer(config(model, **flags), what or task(), TOKENIZER, ALONE, attempt)


def steps(one, count):
    for _ in range(count):
        one.step()
    return one


def parameters(one):
    return {name: tensor.detach().clone() for name, tensor in one.model.named_parameters()}


def assert_same(one, other):
    """The same tensors by name, to the bit."""
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


@dataclasses.dataclass
class Folders:
    """A model folder of each family, with a tokenizer."""

    roberta: Path
    bert: Path

    def __getitem__(self, family):
        return getattr(self, family)


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory):
    """Folders of masked language models that nothing may change."""
    root = tmp_path_factory.mktemp("pretrained")
    tokenizers = {
        "roberta": train(["abc abd bcd"] * 3, 264),
        "bert": word_piece({word: id_ for id_, word in enumerate(WORDS)}, lowercase=True),
    }
    for family, tokenizer in tokenizers.items():
        weights.save(model_of(MaskedLM, family), root / family)
        tokenizer.save(root / family)
    return Folders(root / "roberta", root / "bert")
