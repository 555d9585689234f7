"""Logits without padding are those of `model.forward`, of each sequence by itself, and of ranks.

N sequences, T tokens of all of them, C classes.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unmask.finetune.batches import Batches
from unmask.finetune.examples import Examples
from unmask.finetune.forward import all_logits, by_token, logits
from unmask.finetune.losses import OneClass
from unmask.finetune.objective import Objective
from unmask.model.heads import MultipleChoice, SequenceClassifier, SpanExtractor, TokenClassifier

from .conftest import ALONE, CPU, both_families, maker, model_of, parity, sequences

KINDS = [SequenceClassifier, MultipleChoice, TokenClassifier, SpanExtractor]
every_head = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
SOME = sequences(17, seed=3)


def said(model, inputs):
    """What `forward` gives with its padding computed: (B, C) or (B, L, C)."""
    read = inputs.ids_BL, inputs.mask_BL, inputs.types_BL
    if isinstance(model, SpanExtractor):
        return torch.stack(model(*read), -1)
    if isinstance(model, MultipleChoice):
        return model(*(None if one is None else one[:, None] for one in read))
    return model(*read)


def one_by_one(model, make, some):
    """The logits of each sequence by itself, with nothing beside it."""
    found = [said(model, make(some, np.array([number])))[0] for number in range(len(some))]
    return torch.cat(found) if by_token(model) else torch.stack(found)


def close(ours, theirs):
    torch.testing.assert_close(torch.as_tensor(ours), torch.as_tensor(theirs), rtol=1e-4, atol=2e-5)


@both_families
@every_head
@torch.no_grad()
def test_packed_logits_are_those_of_padded_batches(kind, family):
    model, make = model_of(kind, family).eval(), maker(family)
    for index_B in (np.arange(7), np.array([5, 5]), np.array([16])):
        inputs = make(SOME, index_B)
        padded = said(model, inputs)
        if by_token(model):
            mask_BL = torch.ones_like(inputs.ids_BL, dtype=torch.bool)
            padded = padded[mask_BL if inputs.mask_BL is None else inputs.mask_BL]

        close(logits(model, inputs), padded)


@both_families
@every_head
@torch.no_grad()
def test_all_logits_come_in_order_and_as_of_each_sequence_alone(kind, family, monkeypatch):
    monkeypatch.setattr("unmask.finetune.forward.TOKENS_PER_BATCH", 60)
    model, make = model_of(kind, family), maker(family)
    model.train()

    found = all_logits(model, SOME, make, "fp32", ALONE)

    assert model.training
    assert found.dtype == np.float32
    assert len(found) == (len(SOME.ids_T) if by_token(model) else len(SOME))
    close(found, one_by_one(model.eval(), make, SOME))


def test_a_model_that_was_not_training_is_not_afterwards():
    model = model_of().eval()

    all_logits(model, SOME, maker("roberta"), "fp32", ALONE)

    assert not model.training


def test_dropout_does_not_touch_answers():
    model = model_of(dropout=0.5).train()

    one, other = (all_logits(model, SOME, maker("roberta"), "fp32", ALONE) for _ in range(2))

    np.testing.assert_array_equal(one, other)


@every_head
@pytest.mark.parametrize("size", [2, 5])
def test_processes_share_the_sequences_and_all_get_all_answers(kind, size, monkeypatch):
    """One after the other; the last has what all of them have found, in the order of processes.

    Of five processes some have nothing to do.
    """
    monkeypatch.setattr("unmask.finetune.forward.TOKENS_PER_BATCH", 110)
    model, make = model_of(kind), maker("roberta")
    alone = all_logits(model, SOME, make, "fp32", ALONE)
    boxes = []

    def gathered(items):
        boxes.append(items)
        return [item for box in boxes for item in box]

    for rank in range(size):
        ranks = SimpleNamespace(rank=rank, size=size, device=CPU, gathered=gathered)
        if rank < size - 1:
            all_logits(model, SOME, make, "fp32", ranks)
    found = all_logits(model, SOME, make, "fp32", ranks)

    np.testing.assert_array_equal(found, alone)
    numbers = [number for box in boxes for index_B, _ in box for number in index_B.tolist()]
    assert sorted(numbers) == list(range(len(SOME)))


@both_families
def test_gradients_do_not_depend_on_the_padding(family):
    """A batch of all against each sequence by itself."""
    examples = Examples(SOME, parity(SOME))
    whole, single = (
        Batches.of(examples, maker(family), 0, batch=17, most_tokens=most) for most in (9999, 1)
    )
    found = []
    for data in (whole, single):
        model = model_of(family=family)
        objective = Objective(model, OneClass(), "fp32")
        for batch in data.at(0):
            objective(batch).loss.backward()
        found.append({name: one.grad for name, one in model.named_parameters()})

    for name, gradient in found[0].items():
        assert gradient is not None, name
        torch.testing.assert_close(gradient, found[1][name], rtol=1e-3, atol=1e-5, msg=name)
