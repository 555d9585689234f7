"""What must hold for the encoder without any reference.

B batch, L length.
"""

import dataclasses

import pytest
import torch

from unmask.model.encoder import Encoder
from unmask.model.presets import BERT, ROBERTA

SMALL = {"vocabulary": 40, "layers": 2, "width": 32, "heads": 4, "feed_forward": 48}
CONFIGS = {
    "roberta": dataclasses.replace(ROBERTA["tiny"], **SMALL, max_length=12),
    "bert": dataclasses.replace(BERT["tiny"], **SMALL, max_length=12, bos_id=2, eos_id=3),
}
both_families = pytest.mark.parametrize("family", CONFIGS)


def encoder_of(family):
    return Encoder(CONFIGS[family]).double().eval()


def padded(ids_1L, config, left, right):
    pad = torch.nn.functional.pad
    ids_1L, real_1L = (
        pad(ids_1L, (left, right), value=config.pad_id),
        pad(torch.ones_like(ids_1L), (left, right)).bool(),
    )
    return ids_1L, real_1L


def test_padding_on_either_side_changes_nothing_for_roberta():
    encoder = encoder_of("roberta")
    ids_1L = torch.randint(4, 40, (1, 6))
    alone = encoder(ids_1L)

    for left, right in [(0, 4), (4, 0), (2, 3)]:
        wide = encoder(*padded(ids_1L, encoder.config, left, right))
        torch.testing.assert_close(wide[:, left : left + 6], alone, rtol=0, atol=1e-12)


@both_families
def test_a_sequence_gives_the_same_alone_and_in_a_padded_batch(family):
    encoder = encoder_of(family)
    short, long = torch.randint(4, 40, (1, 5)), torch.randint(4, 40, (1, 9))
    ids_BL, real_BL = (
        torch.cat(pair)
        for pair in zip(
            padded(short, encoder.config, 0, 4), padded(long, encoder.config, 0, 0), strict=True
        )
    )

    together = encoder(ids_BL, real_BL)

    torch.testing.assert_close(together[:1, :5], encoder(short), rtol=0, atol=1e-12)
    torch.testing.assert_close(together[1:], encoder(long), rtol=0, atol=1e-12)


@both_families
def test_no_mask_is_a_mask_of_real_tokens_only(family):
    encoder = encoder_of(family)
    ids_BL = torch.randint(4, 40, (2, 7))

    torch.testing.assert_close(
        encoder(ids_BL), encoder(ids_BL, torch.ones_like(ids_BL).bool()), rtol=0, atol=1e-12
    )


def test_positions_of_roberta_count_tokens_and_those_of_bert_count_places():
    ids_BL = torch.tensor([[5, 6, 1, 1], [1, 1, 5, 6]])

    roberta = encoder_of("roberta").embedding.positions(ids_BL)
    bert = encoder_of("bert").embedding.positions(ids_BL)

    assert roberta.tolist() == [[2, 3, 1, 1], [1, 1, 2, 3]]
    assert bert.tolist() == [0, 1, 2, 3]


@both_families
def test_hidden_states_begin_with_the_embedding_and_end_with_the_output(family):
    encoder = encoder_of(family)
    ids_BL = torch.randint(4, 40, (2, 7))

    states = encoder.hidden_states(ids_BL)

    assert len(states) == encoder.config.layers + 1
    assert torch.equal(states[0], encoder.embedding(ids_BL))
    assert torch.equal(states[-1], encoder(ids_BL))


@both_families
def test_token_types_matter_where_they_are_given(family):
    config = dataclasses.replace(CONFIGS[family], types=2)
    encoder = Encoder(config).eval()
    ids_BL = torch.randint(4, 40, (1, 4))

    assert torch.equal(encoder(ids_BL), encoder(ids_BL, types_BL=torch.zeros_like(ids_BL)))
    assert not torch.allclose(encoder(ids_BL), encoder(ids_BL, types_BL=torch.ones_like(ids_BL)))


def test_no_gradient_reaches_the_rows_of_padding():
    encoder = encoder_of("roberta")
    ids_BL, real_BL = padded(torch.randint(4, 40, (1, 5)), encoder.config, 0, 3)

    (encoder(ids_BL, real_BL) ** 3).sum().backward()

    pad = encoder.config.pad_id
    assert encoder.embedding.word.weight.grad[pad].abs().max() == 0
    assert encoder.embedding.position.weight.grad[pad].abs().max() == 0
    assert encoder.embedding.position.weight.grad[pad + 1].abs().max() > 0


@both_families
def test_the_longest_sequence_fits_and_one_token_more_does_not(family):
    encoder = encoder_of(family)

    assert encoder(torch.full((1, 12), 5)).shape == (1, 12, 32)
    with pytest.raises(IndexError):
        encoder(torch.full((1, 13), 5))


@both_families
def test_bf16_autocast_stays_near_float32(family):
    encoder = encoder_of(family).float()
    ids_BL, real_BL = padded(torch.randint(4, 40, (3, 6)), encoder.config, 0, 2)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = encoder(ids_BL, real_BL)

    # bf16 has 8 bits; a LayerNorm output of size 1 after a few sums is good to some 1/64.
    torch.testing.assert_close(low.float(), encoder(ids_BL, real_BL), rtol=0, atol=0.1)
    low.sum().backward()
    assert encoder.blocks[0].attention.qkv.weight.grad.dtype == torch.float32


def test_training_drops_and_evaluation_does_not():
    encoder = encoder_of("roberta")
    ids_BL = torch.randint(4, 40, (1, 6))

    assert torch.equal(encoder(ids_BL), encoder(ids_BL))
    encoder.train()
    assert not torch.equal(encoder(ids_BL), encoder(ids_BL))


def gradients(encoder, out):
    encoder.zero_grad()
    (out**3).sum().backward()
    return {name: parameter.grad.clone() for name, parameter in encoder.named_parameters()}


@both_families
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("wide", [False, True], ids=["full", "padded"])
def test_asked_for_places_it_gives_what_it_gives_everywhere(family, layers, wide):
    """The same place may be asked for twice, as what is left over is filled with place 0."""
    encoder = Encoder(dataclasses.replace(CONFIGS[family], layers=layers)).double().eval()
    ids_BL, mask_BL = padded(torch.randint(4, 40, (3, 7)), encoder.config, 0, 4 if wide else 0)
    mask_BL = mask_BL if wide else None
    places_BN = torch.tensor([[0, 3, 6, 0], [5, 6, 0, 0], [1, 0, 0, 0]])
    index_BND = places_BN[..., None].expand(-1, -1, 32)

    asked = encoder.asked(ids_BL, places_BN, mask_BL)
    everywhere = encoder(ids_BL, mask_BL).gather(1, index_BND)

    torch.testing.assert_close(asked, everywhere, rtol=0, atol=1e-12)
    found, expected = gradients(encoder, asked), gradients(encoder, everywhere)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=0, atol=1e-10, msg=name)


@both_families
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_what_is_computed_again_is_the_same_to_the_bit(family, dropout):
    config = dataclasses.replace(
        CONFIGS[family], layers=3, dropout=dropout, attention_dropout=dropout
    )
    encoder = Encoder(config).train()
    ids_BL, mask_BL = padded(torch.randint(4, 40, (3, 7)), config, 0, 4)
    places_BN = torch.tensor([[0, 3], [5, 6], [1, 0]])

    found = []
    for recompute in (False, True):
        encoder.recompute = recompute
        torch.manual_seed(5)
        asked = encoder.asked(ids_BL, places_BN, mask_BL)
        found.append((asked, gradients(encoder, asked)))

    (kept, kept_gradients), (again, again_gradients) = found
    assert torch.equal(kept, again)
    for name, gradient in kept_gradients.items():
        assert torch.equal(gradient, again_gradients[name]), name


def test_recomputing_keeps_less_for_the_way_back():
    def kept(recompute):
        numbers = []
        encoder = Encoder(dataclasses.replace(CONFIGS["roberta"], layers=4)).train()
        encoder.recompute = recompute
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: numbers.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            encoder.asked(torch.randint(4, 40, (2, 12)), torch.zeros(2, 1, dtype=torch.int64))
        return sum(numbers)

    assert kept(recompute=True) < 0.5 * kept(recompute=False)


@both_families
def test_without_its_padding_a_block_gives_the_same(family):
    encoder = encoder_of(family)
    length_B = torch.tensor([5, 12, 1, 8])
    mask_BL = torch.arange(12) < length_B[:, None]
    ids_BL = torch.where(mask_BL, torch.randint(4, 40, (4, 12)), encoder.config.pad_id)
    places_BN = torch.stack([torch.randint(0, int(length), (3,)) for length in length_B])
    real_T = mask_BL.flatten().nonzero().flatten()

    wide = encoder.asked(ids_BL, places_BN, mask_BL)
    narrow = encoder.asked(ids_BL, places_BN, mask_BL, real_T=real_T)

    torch.testing.assert_close(narrow, wide, rtol=0, atol=1e-12)
    found, expected = gradients(encoder, narrow), gradients(encoder, wide)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=0, atol=1e-12, msg=name)
