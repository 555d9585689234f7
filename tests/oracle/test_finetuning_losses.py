"""Losses and gradients of a step, cut in any way, are those of transformers for a padded batch.

N examples, L length, T real tokens, C classes or choices.
"""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unmask.finetune.batches import Batches
from unmask.finetune.examples import Examples
from unmask.finetune.inputs import Maker, tokens_of
from unmask.finetune.losses import (
    IGNORED,
    OneChoice,
    OneClass,
    OneNumber,
    SeveralClasses,
    Span,
    TokenClasses,
)
from unmask.finetune.objective import Counts, Objective
from unmask.finetune.sequences import Sequences
from unmask.model import heads, huggingface, tensors
from unmask.train.ranks import Ranks

transformers = pytest.importorskip("transformers")

ALONE = Ranks(torch.device("cpu"))
PAD, COUNT = 1, 12
NAMES = {
    heads.SequenceClassifier: "ForSequenceClassification",
    heads.TokenClassifier: "ForTokenClassification",
    heads.SpanExtractor: "ForQuestionAnswering",
    heads.MultipleChoice: "ForMultipleChoice",
}
WEIGHTS = (0.2, 1.0, 7.5)
both_families = pytest.mark.parametrize("family", ["roberta", "bert"])
any_cut = pytest.mark.parametrize("most_tokens", [1, 60, 9999])
"""One sequence at a time, a few, all."""


def twins(family, kind, labels=3, problem=None):
    """The model of transformers with every parameter random, and ours with the same weights."""
    prefix = {"roberta": "Roberta", "bert": "Bert"}[family]
    labelled = "Classif" in kind.__name__
    config = getattr(transformers, f"{prefix}Config")(
        vocab_size=37,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=32,
        layer_norm_eps={"roberta": 1e-5, "bert": 1e-12}[family],
        type_vocab_size={"roberta": 1, "bert": 2}[family],
        pad_token_id=PAD,
        problem_type=problem,
        **{"num_labels": labels} if labelled else {},
    )
    theirs = getattr(transformers, prefix + NAMES[kind])(config).double().eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.2)
    names = tuple(map(str, range(labels))) if labelled else ()
    sizes = dataclasses.replace(
        huggingface.to_config(config.to_dict(), "test"), dropout=0.0, attention_dropout=0.0
    )
    ours = heads.build(kind, sizes, names, problem).double()
    ours.load_state_dict(tensors.join(theirs.state_dict(), huggingface.names(ours)))
    return theirs, ours


def sequences(count, dice, *, least=3, most=14):
    lengths_N = dice.integers(least, most + 1, count)
    ids = [dice.integers(4, 37, length).tolist() for length in lengths_N]
    types = [[0] * (length // 2) + [1] * (length - length // 2) for length in lengths_N]
    return Sequences.of(ids, types)


def ours_of(model, examples, loss, most_tokens):
    """The loss of one step of all examples; its gradients stay with the model."""
    maker = Maker(PAD, typed=model.config.types > 1)
    data = Batches.of(examples, maker, 0, batch=len(examples), most_tokens=most_tokens)
    batches = data.at(0)
    counts, objective = Counts.of(batches, loss, ALONE), Objective(model, loss, "fp32")
    shares = [counts.mean_loss(objective(batch)) for batch in batches]
    sum(shares).backward()
    return float(sum(shares).detach())


def read_by_theirs(examples, family, index=None):
    """A padded batch as DataCollatorWithPadding makes it."""
    index = np.arange(len(examples.sequences)) if index is None else index
    inputs = Maker(PAD, typed=family == "bert")(examples.sequences, index)
    mask_BL = torch.ones_like(inputs.ids_BL) if inputs.mask_BL is None else inputs.mask_BL.long()
    found = {"input_ids": inputs.ids_BL, "attention_mask": mask_BL}
    return found if inputs.types_BL is None else found | {"token_type_ids": inputs.types_BL}


def assert_same_step(theirs, expected, ours, found):
    """The loss is taken of float32 logits, as in training."""
    assert found == pytest.approx(float(expected.detach()), rel=1e-5)
    expected.backward()
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    split = tensors.split(gradients, huggingface.names(ours))
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(split[name], parameter.grad, rtol=1e-4, atol=1e-6, msg=name)


@both_families
@any_cut
def test_one_class_is_the_cross_entropy_of_transformers(most_tokens, family):
    theirs, ours = twins(family, heads.SequenceClassifier)
    dice = np.random.default_rng(0)
    examples = Examples(sequences(COUNT, dice), dice.integers(0, 3, COUNT))

    found = ours_of(ours, examples, OneClass(), most_tokens)

    read = read_by_theirs(examples, family)
    assert_same_step(
        theirs, theirs(**read, labels=torch.tensor(examples.targets)).loss, ours, found
    )


@both_families
@any_cut
def test_weighted_classes_are_torchs_mean(most_tokens, family):
    """A mean over the weights, not over the examples, and not one for each part of a step."""
    theirs, ours = twins(family, heads.SequenceClassifier)
    dice = np.random.default_rng(1)
    examples = Examples(sequences(COUNT, dice), dice.integers(0, 3, COUNT))

    found = ours_of(ours, examples, OneClass(WEIGHTS), most_tokens)

    mean = nn.CrossEntropyLoss(torch.tensor(WEIGHTS).double(), reduction="mean")
    logits_NC = theirs(**read_by_theirs(examples, family)).logits
    assert_same_step(theirs, mean(logits_NC, torch.tensor(examples.targets)), ours, found)


@both_families
@any_cut
@pytest.mark.parametrize("dtype", [np.bool_, np.float32])
def test_several_classes_are_the_binary_cross_entropy_of_transformers(dtype, most_tokens, family):
    problem = "multi_label_classification"
    theirs, ours = twins(family, heads.SequenceClassifier, 4, problem)
    dice = np.random.default_rng(2)
    examples = Examples(sequences(COUNT, dice), (dice.random((COUNT, 4)) < 0.4).astype(dtype))

    found = ours_of(ours, examples, SeveralClasses(), most_tokens)

    labels = torch.tensor(examples.targets).double()
    assert_same_step(
        theirs, theirs(**read_by_theirs(examples, family), labels=labels).loss, ours, found
    )


@both_families
@any_cut
def test_a_number_is_the_squared_error_of_transformers(most_tokens, family):
    theirs, ours = twins(family, heads.SequenceClassifier, 1, "regression")
    dice = np.random.default_rng(3)
    examples = Examples(sequences(COUNT, dice), (5 * dice.random(COUNT)).astype(np.float32))

    found = ours_of(ours, examples, OneNumber(), most_tokens)

    labels = torch.tensor(examples.targets).double()
    assert_same_step(
        theirs, theirs(**read_by_theirs(examples, family), labels=labels).loss, ours, found
    )


@both_families
@any_cut
@pytest.mark.parametrize("choices", [2, 5])
def test_a_choice_is_the_cross_entropy_of_transformers(choices, most_tokens, family):
    theirs, ours = twins(family, heads.MultipleChoice)
    dice = np.random.default_rng(4)
    some = sequences(COUNT * choices, dice)
    examples = Examples(some, dice.integers(0, choices, COUNT), choices)

    found = ours_of(ours, examples, OneChoice(choices), most_tokens)

    read = read_by_theirs(examples, family)
    read = {name: tensor.view(COUNT, choices, -1) for name, tensor in read.items()}
    labels = torch.tensor(examples.targets)
    assert_same_step(theirs, theirs(**read, labels=labels).loss, ours, found)


@both_families
@any_cut
def test_classes_of_tokens_are_the_cross_entropy_of_transformers(most_tokens, family):
    """A mean over the tokens of the step that have a class; one sentence has none."""
    theirs, ours = twins(family, heads.TokenClassifier, 5)
    dice = np.random.default_rng(5)
    some = sequences(COUNT, dice)
    targets_T = dice.integers(0, 5, len(some.ids_T))
    targets_T[dice.random(len(targets_T)) < 0.4] = IGNORED
    targets_T[some.starts_N1[3] : some.starts_N1[4]] = IGNORED
    examples = Examples(some, targets_T, by_token=True)

    found = ours_of(ours, examples, TokenClasses(), most_tokens)

    read = read_by_theirs(examples, family)
    labels_NL = torch.full_like(read["input_ids"], IGNORED)
    labels_NL[read["attention_mask"].bool()] = torch.tensor(
        targets_T[tokens_of(some, np.arange(COUNT))]
    )
    assert_same_step(theirs, theirs(**read, labels=labels_NL).loss, ours, found)


@both_families
@any_cut
def test_a_span_is_the_loss_of_transformers_where_nothing_is_padded(most_tokens, family):
    theirs, ours = twins(family, heads.SpanExtractor)
    dice = np.random.default_rng(6)
    some = sequences(COUNT, dice, least=11, most=11)
    examples = Examples(some, dice.integers(0, 11, (COUNT, 2)))

    found = ours_of(ours, examples, Span(), most_tokens)

    start_N, end_N = torch.tensor(examples.targets).unbind(1)
    read = read_by_theirs(examples, family)
    expected = theirs(**read, start_positions=start_N, end_positions=end_N).loss
    assert_same_step(theirs, expected, ours, found)


@both_families
@any_cut
def test_padding_never_competes_for_an_end_of_a_span(most_tokens, family):
    """As transformers has it for each sequence by itself; the first and the last place, too."""
    theirs, ours = twins(family, heads.SpanExtractor)
    dice = np.random.default_rng(7)
    some = sequences(COUNT, dice)
    last_N = some.lengths_N - 1
    targets = np.stack([dice.integers(0, last_N + 1), dice.integers(0, last_N + 1)], 1)
    targets[0], targets[1] = 0, last_N[1]
    examples = Examples(some, targets)

    found = ours_of(ours, examples, Span(), most_tokens)

    losses = []
    for number in range(COUNT):
        start, end = torch.tensor(targets[number : number + 1]).unbind(1)
        read = read_by_theirs(examples, family, np.array([number]))
        losses.append(theirs(**read, start_positions=start, end_positions=end).loss)
    assert_same_step(theirs, torch.stack(losses).mean(), ours, found)


@both_families
def test_padding_would_have_changed_the_loss_of_a_span(family):
    """Else the test before shows nothing."""
    theirs, _ = twins(family, heads.SpanExtractor)
    some = sequences(2, np.random.default_rng(8), least=3, most=14)
    read = read_by_theirs(Examples(some, np.zeros((2, 2))), family)
    zero_N = torch.zeros(2, dtype=torch.int64)

    padded = theirs(**read, start_positions=zero_N, end_positions=zero_N)
    inside = padded.start_logits.masked_fill(read["attention_mask"] == 0, -1e9)

    assert read["attention_mask"].min() == 0
    assert F.cross_entropy(inside, zero_N) < F.cross_entropy(padded.start_logits, zero_N) - 1e-3
