"""The distance of two answers, spelt out for each head in numpy.

B sequences, T tokens of all of them, C classes.
"""

from itertools import pairwise

import numpy as np
import pytest
import torch

from unmask.export.int8.damage import answers, damages
from unmask.finetune.inputs import Maker
from unmask.finetune.sequences import Sequences
from unmask.model.config import ModelConfig
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
    build,
)
from unmask.model.init import initialise

LENGTHS = [4, 7, 3]
LABELS = ("a", "b", "c")
TOKENS = sum(LENGTHS)


def model_of(kind, problem=None, family="roberta"):
    config = ModelConfig(
        family=family,
        vocabulary=50,
        layers=1,
        width=16,
        heads=2,
        feed_forward=16,
        types=1 if family == "roberta" else 2,
        norm_eps=1e-5,
        init_std=0.3,
        pad_id=1,
    )
    labels = LABELS if "Classifier" in kind.__name__ else ()
    model = build(kind, config, ("score",) if problem == "regression" else labels, problem)
    initialise(model, 0)
    return model.eval()


def inputs(lengths=LENGTHS, *, typed=False):
    dice = np.random.default_rng(0)
    ids = [dice.integers(4, 50, length).tolist() for length in lengths]
    some = Sequences.of(ids, [[0] * 2 + [1] * (len(one) - 2) for one in ids])
    return Maker(1, typed=typed)(some, np.arange(len(lengths)))


def two(rows, columns):
    dice = np.random.default_rng(0)
    return (dice.normal(size=(rows, columns)) for _ in range(2))


def divergence(logits, others):
    """Of one row from another."""
    p, q = (np.exp(one) / np.exp(one).sum() for one in (logits, others))
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True))


def found(model, one, other, lengths=LENGTHS):
    read = inputs(lengths)
    return damages(model, read, *(torch.from_numpy(x).float() for x in (one, other))).tolist()


@pytest.mark.parametrize(
    ("kind", "rows", "columns"),
    [(SequenceClassifier, 3, 3), (TokenClassifier, TOKENS, 3), (MaskedLM, 5, 50)],
)
def test_of_classes_it_is_the_divergence_of_each_row(kind, rows, columns):
    one, other = two(rows, columns)

    expected = [divergence(*pair) for pair in zip(one, other, strict=True)]

    assert found(model_of(kind), one, other) == pytest.approx(expected, rel=1e-5)


def test_of_several_classes_it_is_that_of_yes_and_no_summed():
    one, other = two(3, 3)

    expected = [
        sum(divergence([a, 0], [b, 0]) for a, b in zip(*pair, strict=True))
        for pair in zip(one, other, strict=True)
    ]

    model = model_of(SequenceClassifier, "multi_label_classification")
    assert found(model, one, other) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "model", [model_of(SequenceClassifier, "regression"), model_of(MultipleChoice)]
)
def test_of_a_number_and_of_choices_it_is_the_squared_difference(model):
    one, other = two(3, 1)

    assert found(model, one, other) == pytest.approx(((one - other)[:, 0] ** 2).tolist(), rel=1e-5)


@pytest.mark.parametrize("lengths", [LENGTHS, [5, 5], [6]])
def test_of_spans_it_is_that_of_starts_and_of_ends_over_a_sequence(lengths):
    one, other = two(sum(lengths), 2)
    starts = np.cumsum([0, *lengths])

    expected = [
        divergence(one[start:end, side], other[start:end, side])
        for start, end in pairwise(starts)
        for side in range(2)
    ]

    assert found(model_of(SpanExtractor), one, other, lengths) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "kind", [SequenceClassifier, TokenClassifier, SpanExtractor, MultipleChoice, MaskedLM]
)
def test_the_same_answer_is_no_damage(kind):
    columns = {SpanExtractor: 2, MultipleChoice: 1}.get(kind, 3)
    one, _ = two(TOKENS, columns)

    assert not any(found(model_of(kind), one, one))


@pytest.mark.parametrize("family", ["roberta", "bert"])
@pytest.mark.parametrize("kind", [SequenceClassifier, TokenClassifier, MaskedLM])
@torch.no_grad()
def test_answers_are_those_of_the_model_without_padding(kind, family):
    model, read = model_of(kind, family=family), inputs(typed=family == "bert")

    expected = model(read.ids_BL, read.mask_BL, read.types_BL)
    if kind is not SequenceClassifier:
        expected = expected[read.mask_BL]

    torch.testing.assert_close(answers(model, read), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("most", "places"), [(4, [0, 4, 9, 13]), (1, [0]), (14, list(range(14)))])
@torch.no_grad()
def test_a_masked_lm_is_asked_at_places_all_over_the_batch(most, places, monkeypatch):
    monkeypatch.setattr("unmask.export.int8.damage.PLACES", most)
    model, read = model_of(MaskedLM), inputs()

    expected = model(read.ids_BL, read.mask_BL)[read.mask_BL][places]

    torch.testing.assert_close(answers(model, read), expected, rtol=1e-4, atol=1e-5)
