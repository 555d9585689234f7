"""What is seen of a model's layers: real tokens alone, and all that the exported graph computes."""

import dataclasses

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.export.int8 import calibration
from unmask.export.int8.calibration import observe
from unmask.export.int8.sites import sites
from unmask.finetune.inputs import Inputs, Maker
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

PAD = 1
KINDS = [SequenceClassifier, MultipleChoice, TokenClassifier, SpanExtractor, MaskedLM]
every_head = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
both_families = pytest.mark.parametrize("family", ["roberta", "bert"])


def model_of(kind=TokenClassifier, family="roberta"):
    config = ModelConfig(
        family=family,
        vocabulary=120,
        layers=2,
        width=32,
        heads=4,
        feed_forward=48,
        max_length=64,
        types=1 if family == "roberta" else 2,
        norm_eps=1e-5,
        init_std=0.2,
        pad_id=PAD,
    )
    model = build(kind, config, ("a", "b") if "Classifier" in kind.__name__ else ())
    initialise(model, 0)
    return model


def texts(lengths, seed=0):
    dice = np.random.default_rng(seed)
    ids = [dice.integers(4, 120, length).tolist() for length in lengths]
    return Sequences.of(ids, [[0] * 2 + [1] * (len(one) - 2) for one in ids])


@dataclasses.dataclass(frozen=True)
class PaddedMaker:
    """Puts still more padding behind each batch."""

    maker: Maker
    more: int

    def __call__(self, sequences, index_B):
        inputs = self.maker(sequences, index_B)
        mask_BL = torch.ones_like(inputs.ids_BL, dtype=torch.bool)
        mask_BL = self.grown(mask_BL if inputs.mask_BL is None else inputs.mask_BL, False)
        types_BL = None if inputs.types_BL is None else self.grown(inputs.types_BL, 0)
        real_T = mask_BL.flatten().nonzero().squeeze(1)
        return Inputs(self.grown(inputs.ids_BL, PAD), mask_BL, types_BL, real_T)

    def grown(self, values_BL, value):
        return torch.nn.functional.pad(values_BL, (0, self.more), value=value)


def alike(one, other):
    """The same but for the last bits of sums."""
    assert one.keys() == other.keys()
    for site in one:
        assert one[site].rows == other[site].rows
        for name in ("low_I", "high_I", "sample_SI"):
            np.testing.assert_allclose(
                getattr(one[site], name), getattr(other[site], name), atol=1e-5, err_msg=site
            )


LENGTHS = [12, 5, 30, 30, 7, 3, 19]
SOME = texts(LENGTHS)


@both_families
@every_head
@pytest.mark.parametrize("more", [1, 33])
def test_padding_a_batch_more_changes_nothing(kind, family, more):
    model, maker = model_of(kind, family), Maker(PAD, typed=family == "bert")

    plain = observe(model, SOME, maker, least=1)
    padded = observe(model, SOME, PaddedMaker(maker, more), least=1)

    alike(plain, padded)


@every_head
def test_every_token_is_seen_once(kind):
    """Of a head of first tokens the last block computes keys and values of all, the rest of one."""
    found = observe(model_of(kind), SOME, Maker(PAD, typed=False), least=1)

    tokens, count = sum(LENGTHS), len(LENGTHS)
    rows = [tokens] * 8
    if kind in (SequenceClassifier, MultipleChoice):
        rows[4:] = [count + tokens, count, count, count]
    assert [one.rows for one in found.values()] == rows
    assert list(found) == list(sites(model_of(kind)))
    for one in found.values():
        assert one.histogram.counts_N.sum() == one.rows * len(one.low_I)


def test_what_is_seen_is_what_the_layers_get():
    model, some = model_of().eval(), texts([9])
    found = observe(model, some, Maker(PAD, typed=False), least=1)

    states = model.encoder.hidden_states(torch.from_numpy(some.ids_T[None]).long())
    qkv = [found[f"encoder.blocks.{number}.attention.qkv"] for number in range(2)]
    for one, state_BLD in zip(qkv, states, strict=False):
        np.testing.assert_allclose(one.sample_SI, state_BLD[0].detach().numpy(), atol=1e-5)


def test_batches_do_not_matter_to_ranges(monkeypatch):
    model, maker = model_of(), Maker(PAD, typed=False)
    whole = observe(model, SOME, maker, least=1)
    monkeypatch.setattr(calibration, "TOKENS_PER_BATCH", 30)

    alike(whole, observe(model, SOME, maker, least=1))


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_as_it_was(training):
    model = model_of().train(training)
    before = {name: one.clone() for name, one in model.state_dict().items()}

    observe(model, SOME, Maker(PAD, typed=False), least=1)

    assert model.training is training
    assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())
    assert not any(layer._forward_pre_hooks for layer in sites(model).values())


def test_dropout_is_not_seen():
    model = model_of().train()

    alike(*(observe(model, SOME, Maker(PAD, typed=False), least=1) for _ in range(2)))


@pytest.mark.parametrize(("count", "least"), [(99, 100), (0, 100), (3, 4)])
def test_too_few_texts_are_told(count, least):
    with pytest.raises(UserError) as error:
        observe(model_of(), texts([3] * count), Maker(PAD, typed=False), least=least)

    assert error.value.what == (
        f"calibration on {count} texts: ranges of fewer than {least} do not hold"
    )
    assert error.value.hint == f"give {least} or more texts of the kind that the model will read"


def test_a_hundred_texts_are_enough():
    assert observe(model_of(), texts([3] * 100), Maker(PAD, typed=False))


@pytest.mark.parametrize("value", [torch.inf, -torch.inf, torch.nan])
def test_an_input_that_is_not_finite_is_told(value):
    model = model_of()
    model.encoder.blocks[1].up.bias.data[3] = value

    with pytest.raises(UserError, match=r"what goes into encoder.blocks.1.down is not finite"):
        observe(model, SOME, Maker(PAD, typed=False), least=1)
