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
from unmask.model.heads import MultipleChoice, SequenceClassifier

PAD = 1


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


@pytest.mark.parametrize("more", [1, 33])
def test_padding_a_batch_more_changes_nothing(model_of, some, kind, family, more):
    model, maker = model_of(kind, family), Maker(PAD, typed=family == "bert")

    plain = observe(model, some, maker, least=1)
    padded = observe(model, some, PaddedMaker(maker, more), least=1)

    alike(plain, padded)


def test_every_token_is_seen_once(model_of, some, kind):
    """Of a head of first tokens the last block computes keys and values of all, the rest of one."""
    found = observe(model_of(kind), some, Maker(PAD, typed=False), least=1)

    tokens, count = len(some.ids_T), len(some)
    rows = [tokens] * 8
    if kind in (SequenceClassifier, MultipleChoice):
        rows[4:] = [count + tokens, count, count, count]
    assert [one.rows for one in found.values()] == rows
    assert list(found) == list(sites(model_of(kind)))
    for one in found.values():
        assert one.histogram.counts_N.sum() == one.rows * len(one.low_I)


def test_what_is_seen_is_what_the_layers_get(model_of, texts):
    model, one = model_of().eval(), texts([9])
    found = observe(model, one, Maker(PAD, typed=False), least=1)

    states = model.encoder.hidden_states(torch.from_numpy(one.ids_T[None]).long())
    qkv = [found[f"encoder.blocks.{number}.attention.qkv"] for number in range(2)]
    for inputs, state_BLD in zip(qkv, states, strict=False):
        np.testing.assert_allclose(inputs.sample_SI, state_BLD[0].detach().numpy(), atol=1e-5)


def test_batches_do_not_matter_to_ranges(model_of, some, monkeypatch):
    model, maker = model_of(), Maker(PAD, typed=False)
    whole = observe(model, some, maker, least=1)
    monkeypatch.setattr(calibration, "TOKENS_PER_BATCH", 30)

    alike(whole, observe(model, some, maker, least=1))


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_as_it_was(model_of, some, unchanged, training):
    model = model_of().train(training)

    with unchanged(model):
        observe(model, some, Maker(PAD, typed=False), least=1)

    assert not any(layer._forward_pre_hooks for layer in sites(model).values())


def test_dropout_is_not_seen(model_of, some):
    model = model_of().train()

    alike(*(observe(model, some, Maker(PAD, typed=False), least=1) for _ in range(2)))


@pytest.mark.parametrize(("count", "least"), [(99, 100), (0, 100), (3, 4)])
def test_too_few_texts_are_told(model_of, texts, count, least):
    with pytest.raises(UserError) as error:
        observe(model_of(), texts([3] * count), Maker(PAD, typed=False), least=least)

    assert error.value.what == (
        f"calibration on {count} texts: ranges of fewer than {least} do not hold"
    )
    assert error.value.hint == f"give {least} or more texts of the kind that the model will read"


def test_a_hundred_texts_are_enough(model_of, texts):
    assert observe(model_of(), texts([3] * 100), Maker(PAD, typed=False))


@pytest.mark.parametrize("value", [torch.inf, -torch.inf, torch.nan])
def test_an_input_that_is_not_finite_is_told(model_of, some, value):
    model = model_of()
    model.encoder.blocks[1].up.bias.data[3] = value

    with pytest.raises(UserError, match=r"what goes into encoder.blocks.1.down is not finite"):
        observe(model, some, Maker(PAD, typed=False), least=1)
