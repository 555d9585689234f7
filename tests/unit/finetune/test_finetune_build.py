"""What a training starts from, and how much it is."""

import dataclasses
import shutil

import pytest
import torch

from unmask.core.errors import UserError
from unmask.finetune import families
from unmask.finetune.build import looks_at_dev, maker_for, say_sizes, start
from unmask.finetune.task import Head
from unmask.model import weights
from unmask.model.heads import MultipleChoice, SequenceClassifier, SpanExtractor, TokenClassifier
from unmask.tokenizer.tokenizer import Tokenizer

from .conftest import (
    FAMILIES,
    LABELS,
    PAD,
    TOKENIZER,
    assert_same,
    both_families,
    config,
    model_of,
    sizes,
    task,
    trainer,
)

HEAD = Head(SequenceClassifier, LABELS, "single_label_classification")


def named(model, *, encoder):
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if name.startswith("encoder.") == encoder
    }


@pytest.fixture
def finetuned(tmp_path, pretrained):
    """A fine-tuned model of either family, with other weights."""

    def made(family="roberta", **shape):
        folder = tmp_path / "finetuned"
        weights.save(model_of(family=family, seed=9, **shape), folder)
        for name in ("tokenizer.json",):
            shutil.copy(pretrained[family] / name, folder / name)
        return folder

    return made


@both_families
@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        Head(SequenceClassifier, ("a", "b", "c"), "multi_label_classification"),
        Head(SequenceClassifier, ("score",), "regression"),
        Head(TokenClassifier, ("O", "B-X", "I-X")),
        Head(SpanExtractor),
        Head(MultipleChoice),
    ],
    ids=lambda head: f"{head.kind.__name__}-{len(head.labels)}",
)
def test_it_starts_from_the_encoder_and_a_head_of_the_seed(head, family, pretrained):
    settings = config(pretrained[family])

    model, again, other = (start(settings, head, seed) for seed in (3, 3, 4))

    theirs = weights.load_encoder(pretrained[family], head.kind, head.labels, 0, head.problem)
    assert type(model) is head.kind
    assert_same(named(model, encoder=True), named(theirs, encoder=True))
    assert_same(model.state_dict(), again.state_dict())
    assert not torch.equal(model.out.weight, other.out.weight)
    assert getattr(model, "problem", None) == head.problem


@both_families
def test_random_weights_keep_the_sizes_and_nothing_else(family, pretrained):
    settings = config(pretrained[family], weights="random")

    model, again, other = (start(settings, HEAD, seed) for seed in (3, 3, 4))

    ours, theirs = (
        named(m, encoder=True) for m in (model, start(config(pretrained[family]), HEAD, 3))
    )
    assert model.config == weights.read_config(pretrained[family])
    assert_same(model.state_dict(), again.state_dict())
    for name, tensor in ours.items():
        if tensor.ndim == 2:
            assert not torch.equal(tensor, theirs[name]), name
    assert not torch.equal(model.out.weight, other.out.weight)


@both_families
def test_another_fine_tuned_models_encoder_is_the_start(family, pretrained, finetuned):
    folder = finetuned(family)
    other_labels = dataclasses.replace(HEAD, labels=("yes", "no", "perhaps"))

    model = start(config(pretrained[family], init_from=folder), other_labels, 0)

    theirs = weights.load(folder, SequenceClassifier)
    assert_same(named(model, encoder=True), named(theirs, encoder=True))
    assert model.out.weight.shape == (3, 16)


def test_its_dropout_may_be_another(pretrained, finetuned):
    """Only sizes must be the same."""
    settings = config(pretrained.roberta, init_from=finetuned(dropout=0.3))

    assert start(settings, HEAD, 0).config.dropout == 0.3
    assert start(dataclasses.replace(settings, dropout=0.2), HEAD, 0).config.dropout == 0.2


def test_a_model_that_is_not_fine_tuned_is_no_start(pretrained):
    with pytest.raises(UserError) as caught:
        start(config(pretrained.roberta, init_from=pretrained.roberta), HEAD, 0)

    assert caught.value.what == f"--init-from {pretrained.roberta}: is not fine-tuned"
    assert caught.value.hint == f"give --model {pretrained.roberta}, or a fine-tuned one"


@pytest.mark.parametrize("other", ["sizes", "tokenizer"])
def test_a_model_of_another_kind_is_no_start(other, pretrained, finetuned):
    folder = finetuned(layers=3) if other == "sizes" else finetuned()
    if other == "tokenizer":
        shutil.copy(pretrained.bert / "tokenizer.json", folder / "tokenizer.json")

    with pytest.raises(UserError) as caught:
        start(config(pretrained.roberta, init_from=folder), HEAD, 0)

    assert caught.value.what == (
        f"--init-from {folder}: its sizes or its tokenizer are not those of --model "
        f"{pretrained.roberta}"
    )
    assert caught.value.hint == "give a model that was fine-tuned from it"


def test_a_model_whose_weights_would_not_be_used_is_refused(pretrained, finetuned):
    folder = finetuned()

    with pytest.raises(UserError) as caught:
        start(config(pretrained.roberta, init_from=folder, weights="random"), HEAD, 0)

    assert caught.value.what == (
        f"--init-from {folder} with --weights random: its weights would not be used"
    )
    assert caught.value.hint == "give one of them"


def test_dropout_is_the_models_own_unless_asked_for(pretrained, finetuned):
    own, asked = (
        start(config(pretrained.roberta, dropout=share), HEAD, 0) for share in (None, 0.3)
    )

    assert own.config == sizes()
    assert asked.config == sizes(dropout=0.3)
    assert_same(own.state_dict(), asked.state_dict())


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_dropout_acts_in_training_and_only_there(share, finetuned):
    model = start(config(finetuned(dropout=0.5), dropout=share), HEAD, 0)
    ids_BL = torch.arange(4, 20)[None]

    assert torch.equal(model.train()(ids_BL), model(ids_BL)) == (share == 0.0)
    assert torch.equal(model.eval()(ids_BL), model(ids_BL))


def test_a_head_of_the_same_labels_is_kept(finetuned):
    folder = finetuned()

    model = start(config(folder), HEAD, 0)

    assert_same(model.state_dict(), weights.load(folder, SequenceClassifier).state_dict())


@pytest.mark.parametrize("family", FAMILIES)
def test_segments_are_given_to_models_that_tell_them_apart(family, pretrained):
    tokenizer = Tokenizer.load(pretrained[family])

    maker = maker_for(model_of(family=family), tokenizer)

    assert (maker.pad_id, maker.typed) == (tokenizer.pad_id, family == "bert")


@pytest.mark.parametrize(
    ("flags", "total", "looks"),
    [
        ({}, 50, 10),
        ({"epochs": 2.0}, 10, 2),
        ({"epochs": 0.5}, 3, 1),
        ({"steps": 7}, 7, 2),
        ({"steps": 30, "evaluate_every": 4}, 30, 8),
        ({"batch": 7}, 58, 10),
    ],
    ids=str,
)
def test_steps_and_looks_are_those_of_epochs_unless_asked_for(flags, total, looks, pretrained):
    one = trainer(pretrained.roberta, **{"steps": None} | flags)

    assert one.total == total
    assert looks_at_dev(one).count == looks


def test_what_is_about_to_happen_is_said(pretrained, capsys):
    say_sizes(trainer(pretrained.roberta))

    assert capsys.readouterr().err == (
        "40 examples to train and 16 for dev, 2 labels; 10 steps, fp32 on cpu\n"
    )


@pytest.mark.parametrize(
    ("name", "wanted", "length"),
    [("table", None, 32), ("squad", None, 32), ("table", 32, 32), ("rte", 9, 9)],
)
def test_no_sequence_is_longer_than_the_model_reads(name, wanted, length, pretrained):
    assert families._length(name, wanted, pretrained.roberta) == length


def test_a_length_that_the_model_cannot_read_is_refused(pretrained):
    with pytest.raises(UserError) as caught:
        families._length("table", 33, pretrained.bert)

    assert caught.value.what == f"--max-length 33: {pretrained.bert} reads at most 32 tokens"
    assert caught.value.hint == "give 32 or less"


def test_precision_and_order_are_those_asked_for(pretrained):
    one = trainer(pretrained.roberta, task(), seed=4, micro_tokens=77, batch=5)

    assert (one.precision, one.update.scale) == ("fp32", None)
    assert (one.batches.batch, one.batches.most_tokens, one.batches.order.seed) == (5, 77, 4)
    assert one.maker.pad_id == TOKENIZER.pad_id == PAD
