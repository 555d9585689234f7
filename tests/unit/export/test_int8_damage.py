"""The distance of two answers, spelt out for each head in numpy.

B sequences, T tokens of all of them, C classes.
"""

from itertools import pairwise

import numpy as np
import pytest
import torch

from unmask.export.int8.damage import answers, damages
from unmask.finetune.inputs import Maker
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
)

LENGTHS = [4, 7, 3]
TOKENS = sum(LENGTHS)


@pytest.fixture
def inputs(texts):
    """What a model reads, padded."""

    def make(lengths=LENGTHS, *, typed=False):
        return Maker(1, typed=typed)(texts(lengths), np.arange(len(lengths)))

    return make


@pytest.fixture
def found(inputs):
    """The damage of one answer beside another."""

    def of(model, one, other, lengths=LENGTHS):
        answered = (torch.from_numpy(x).float() for x in (one, other))
        return damages(model, inputs(lengths), *answered).tolist()

    return of


def two(rows, columns):
    dice = np.random.default_rng(0)
    return (dice.normal(size=(rows, columns)) for _ in range(2))


def divergence(logits, others):
    """Of one row from another."""
    p, q = (np.exp(one) / np.exp(one).sum() for one in (logits, others))
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True))


@pytest.mark.parametrize(
    ("kind", "rows", "columns"),
    [(SequenceClassifier, 3, 3), (TokenClassifier, TOKENS, 3), (MaskedLM, 5, 50)],
)
def test_of_classes_it_is_the_divergence_of_each_row(model_of, found, kind, rows, columns):
    one, other = two(rows, columns)

    expected = [divergence(*pair) for pair in zip(one, other, strict=True)]

    assert found(model_of(kind), one, other) == pytest.approx(expected, rel=1e-5)


def test_of_several_classes_it_is_that_of_yes_and_no_summed(model_of, found):
    one, other = two(3, 3)

    expected = [
        sum(divergence([a, 0], [b, 0]) for a, b in zip(*pair, strict=True))
        for pair in zip(one, other, strict=True)
    ]

    model = model_of(SequenceClassifier, problem="multi_label_classification")
    assert found(model, one, other) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "problem"), [(SequenceClassifier, "regression"), (MultipleChoice, None)]
)
def test_of_a_number_and_of_choices_it_is_the_squared_difference(model_of, found, kind, problem):
    model = model_of(kind, problem=problem)
    one, other = two(3, 1)

    assert found(model, one, other) == pytest.approx(((one - other)[:, 0] ** 2).tolist(), rel=1e-5)


@pytest.mark.parametrize("lengths", [LENGTHS, [5, 5], [6]])
def test_of_spans_it_is_that_of_starts_and_of_ends_over_a_sequence(model_of, found, lengths):
    one, other = two(sum(lengths), 2)
    starts = np.cumsum([0, *lengths])

    expected = [
        divergence(one[start:end, side], other[start:end, side])
        for start, end in pairwise(starts)
        for side in range(2)
    ]

    assert found(model_of(SpanExtractor), one, other, lengths) == pytest.approx(expected, rel=1e-5)


def test_the_same_answer_is_no_damage(model_of, found, kind):
    columns = {SpanExtractor: 2, MultipleChoice: 1}.get(kind, 3)
    one, _ = two(TOKENS, columns)

    assert not any(found(model_of(kind), one, one))


@pytest.mark.parametrize("kind", [SequenceClassifier, TokenClassifier, MaskedLM])
@torch.no_grad()
def test_answers_are_those_of_the_model_without_padding(model_of, inputs, kind, family):
    model, read = model_of(kind, family).eval(), inputs(typed=family == "bert")

    expected = model(read.ids_BL, read.mask_BL, read.types_BL)
    if kind is not SequenceClassifier:
        expected = expected[read.mask_BL]

    torch.testing.assert_close(answers(model, read), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("most", "places"), [(4, [0, 4, 9, 13]), (1, [0]), (14, list(range(14)))])
@torch.no_grad()
def test_a_masked_lm_is_asked_at_places_all_over_the_batch(
    model_of, inputs, most, places, monkeypatch
):
    monkeypatch.setattr("unmask.export.int8.damage.PLACES", most)
    model, read = model_of(MaskedLM).eval(), inputs()

    expected = model(read.ids_BL, read.mask_BL)[read.mask_BL][places]

    torch.testing.assert_close(answers(model, read), expected, rtol=1e-4, atol=1e-5)
