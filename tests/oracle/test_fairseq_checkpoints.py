"""fairseq checkpoints, old and new, against transformers for the same weights.

fairseq itself is not needed: the state dicts are built here, from its own sources' names.
B batch, L length, V vocabulary.
"""

import argparse
import re

import pytest
import torch

from unmask.core.errors import UserError
from unmask.model import fairseq

transformers = pytest.importorskip("transformers")

NEW, OLD = "encoder.sentence_encoder", "decoder.sentence_encoder"
# Ordered, first match wins; written apart from the mapping under test.
TO_FAIRSEQ = [
    (r"roberta\.embeddings\.word_embeddings", r"{S}.embed_tokens"),
    (r"roberta\.embeddings\.position_embeddings", r"{S}.embed_positions"),
    (r"roberta\.embeddings\.LayerNorm", r"{S}.{N}"),
    (r"roberta\.encoder\.layer\.(\d+)\.attention\.self\.query", r"{S}.layers.\1.self_attn.q_proj"),
    (r"roberta\.encoder\.layer\.(\d+)\.attention\.self\.key", r"{S}.layers.\1.self_attn.k_proj"),
    (r"roberta\.encoder\.layer\.(\d+)\.attention\.self\.value", r"{S}.layers.\1.self_attn.v_proj"),
    (
        r"roberta\.encoder\.layer\.(\d+)\.attention\.output\.dense",
        r"{S}.layers.\1.self_attn.out_proj",
    ),
    (
        r"roberta\.encoder\.layer\.(\d+)\.attention\.output\.LayerNorm",
        r"{S}.layers.\1.self_attn_layer_norm",
    ),
    (r"roberta\.encoder\.layer\.(\d+)\.intermediate\.dense", r"{S}.layers.\1.fc1"),
    (r"roberta\.encoder\.layer\.(\d+)\.output\.dense", r"{S}.layers.\1.fc2"),
    (r"roberta\.encoder\.layer\.(\d+)\.output\.LayerNorm", r"{S}.layers.\1.final_layer_norm"),
    (r"lm_head\.decoder\.weight", r"{H}.lm_head.weight"),
    (r"lm_head", r"{H}.lm_head"),
]


def transformers_model():
    config = transformers.RobertaConfig(
        vocab_size=37,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=16,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
    )
    model = transformers.RobertaForMaskedLM(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    # fairseq has no token types; conversion to transformers leaves that row at zero.
    torch.nn.init.zeros_(model.roberta.embeddings.token_type_embeddings.weight)
    return model


def fairseq_state(model, style):
    """Rename the weights as fairseq 0.9 (old) or 0.12 (new) would store them."""
    stem = OLD if style == "old" else NEW
    words = {
        "{S}": stem,
        "{H}": stem.split(".")[0],
        "{N}": "emb_layer_norm" if style == "old" else "layernorm_embedding",
    }
    state = {}
    for name, tensor in model.state_dict().items():
        if "token_type" in name or name == "lm_head.decoder.bias":
            continue
        pattern, target = next(row for row in TO_FAIRSEQ if re.match(row[0], name))
        for word, text in words.items():
            target = target.replace(word, text)
        state[re.sub(pattern, target, name)] = tensor
    return stack_projections(state, stem) if style == "old" else state


def stack_projections(state, stem):
    for layer in range(2):
        for parameter in ("weight", "bias"):
            attention = f"{stem}.layers.{layer}.self_attn"
            rows = [state.pop(f"{attention}.{part}_proj.{parameter}") for part in "qkv"]
            state[f"{attention}.in_proj_{parameter}"] = torch.cat(rows)
    return state


def write(path, state, heads=2, **options):
    args = argparse.Namespace(arch="roberta_base", encoder_attention_heads=heads)
    torch.save({"args": args, "model": state, "extra_state": {"epoch": 3}}, path, **options)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("style", ["new", "old"])
def test_a_checkpoint_gives_the_logits_that_transformers_gives(style, zipped, tmp_path):
    theirs = transformers_model()
    path = tmp_path / "model.pt"
    write(path, fairseq_state(theirs, style), _use_new_zipfile_serialization=zipped)

    ours = fairseq.read(path).eval()

    ids_BL = torch.tensor([[0, 9, 8, 7, 2], [0, 5, 2, 1, 1]])
    real_BL = ids_BL != 1
    expected_BLV = theirs(ids_BL, real_BL).logits
    torch.testing.assert_close(ours(ids_BL, real_BL), expected_BLV, rtol=0, atol=2e-5)
    assert ours.config.max_length == 14
    assert (ours.config.pad_id, ours.config.bos_id, ours.config.eos_id) == (1, 0, 2)


def test_a_half_precision_checkpoint_is_read_in_float32(tmp_path):
    state = fairseq_state(transformers_model().half(), "new")
    write(tmp_path / "model.pt", state)

    ours = fairseq.read(tmp_path / "model.pt")

    assert {parameter.dtype for parameter in ours.parameters()} == {torch.float32}
    assert torch.equal(ours.bias, state["encoder.lm_head.bias"].float())


def test_fine_tuned_heads_are_left_out_and_named(tmp_path, capsys):
    state = fairseq_state(transformers_model(), "new")
    state["classification_heads.mnli.dense.weight"] = torch.zeros(128, 128)
    state["encoder.sentence_encoder.version"] = torch.tensor([3.0])
    write(tmp_path / "model.pt", state)

    fairseq.read(tmp_path / "model.pt")

    assert "ignored classification_heads.mnli.dense.weight, encoder.s" in capsys.readouterr().err


def test_an_untied_decoder_is_refused(tmp_path):
    state = fairseq_state(transformers_model(), "new")
    state["encoder.lm_head.weight"] = state["encoder.lm_head.weight"] + 1
    write(tmp_path / "model.pt", state)

    with pytest.raises(UserError, match=r"encoder\.lm_head\.weight differs from encoder\.sentence"):
        fairseq.read(tmp_path / "model.pt")
