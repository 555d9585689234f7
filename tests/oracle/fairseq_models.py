"""Models of transformers, and their weights as versions of fairseq store them.

fairseq itself is not needed: the state dicts are built here, from the names in its sources.
"""

import argparse
import json
import re

import pytest
import torch

from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.byte_letters import LETTERS

transformers = pytest.importorskip("transformers")

LAYER = r"roberta\.encoder\.layer\.(\d+)\."
# Ordered, first match wins; written apart from the mapping under test.
TO_FAIRSEQ = [
    (r"roberta\.embeddings\.word_embeddings", "encoder.sentence_encoder.embed_tokens"),
    (r"roberta\.embeddings\.position_embeddings", "encoder.sentence_encoder.embed_positions"),
    (r"roberta\.embeddings\.LayerNorm", "encoder.sentence_encoder.layernorm_embedding"),
    (LAYER + r"attention\.self\.query", r"encoder.sentence_encoder.layers.\1.self_attn.q_proj"),
    (LAYER + r"attention\.self\.key", r"encoder.sentence_encoder.layers.\1.self_attn.k_proj"),
    (LAYER + r"attention\.self\.value", r"encoder.sentence_encoder.layers.\1.self_attn.v_proj"),
    (
        LAYER + r"attention\.output\.dense",
        r"encoder.sentence_encoder.layers.\1.self_attn.out_proj",
    ),
    (
        LAYER + r"attention\.output\.LayerNorm",
        r"encoder.sentence_encoder.layers.\1.self_attn_layer_norm",
    ),
    (LAYER + r"intermediate\.dense", r"encoder.sentence_encoder.layers.\1.fc1"),
    (LAYER + r"output\.dense", r"encoder.sentence_encoder.layers.\1.fc2"),
    (LAYER + r"output\.LayerNorm", r"encoder.sentence_encoder.layers.\1.final_layer_norm"),
    (r"lm_head\.decoder\.weight", "encoder.lm_head.weight"),
    (r"lm_head", "encoder.lm_head"),
    (r"classifier\.(dense|out_proj)", r"classification_heads.HEAD.\1"),
    (r"roberta\.pooler\.dense", "classification_heads.HEAD.dense"),
    (r"classifier", "classification_heads.HEAD.out_proj"),
]
MERGES = [("t", "h"), ("th", "e"), ("Ġ", "a")]
KINDS = {
    "lm": (transformers.RobertaForMaskedLM, {}),
    "regression": (transformers.RobertaForSequenceClassification, {"num_labels": 1}),
    "two": (transformers.RobertaForSequenceClassification, {"num_labels": 2}),
    "three": (transformers.RobertaForSequenceClassification, {"num_labels": 3}),
    "choice": (transformers.RobertaForMultipleChoice, {}),
}


def tokens():
    words = [left + right for left, right in MERGES]
    return ["<s>", "<pad>", "</s>", "<unk>", *reversed(LETTERS), *words, "<mask>"]


def config(**more):
    return transformers.RobertaConfig(
        vocab_size=len(tokens()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=18,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        **more,
    )


def theirs(kind, *, typed=False):
    """A model of transformers; fairseq knows no token types, so their row is zero unless asked."""
    make, more = KINDS[kind]
    model = make(config(**more)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    if not typed:
        torch.nn.init.zeros_(model.roberta.embeddings.token_type_embeddings.weight)
    return model


def sequences(dice):
    """Sequences of several lengths, padded on the right, as fairseq has them."""
    lengths = torch.randint(2, 16, (5,), generator=dice).tolist()
    rows = [torch.randint(4, len(tokens()), (length,), generator=dice) for length in lengths]
    for row in rows:
        row[0], row[-1] = 0, 2
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=1)


def logits(model, ids, kind):
    """Logits at what is no padding; sequences of a batch are the choices of one question."""
    real = ids != 1
    if kind == "choice":
        return model(input_ids=ids[None], attention_mask=real[None]).logits
    found = model(ids, real).logits
    return found[real] if kind == "lm" else found


def fairseq_state(model, head="mnli"):
    state = {}
    for name, tensor in model.state_dict().items():
        if "token_type" in name or name == "lm_head.decoder.bias":
            continue
        pattern, target = next(row for row in TO_FAIRSEQ if re.match(row[0], name))
        state[re.sub(pattern, target, name).replace("HEAD", head)] = tensor
    return state


def as_old(state):
    """Names and stacked projections of fairseq 0.8, where the encoder was called decoder."""
    old = {}
    for name, tensor in state.items():
        if (match := re.fullmatch(r"(.*self_attn\.)([qkv])_proj\.(weight|bias)", name)) is None:
            old[name.replace(".layernorm_embedding.", ".emb_layer_norm.")] = tensor
        elif match[2] == "q":
            rows = [state[f"{match[1]}{part}_proj.{match[3]}"] for part in "qkv"]
            old[f"{match[1]}in_proj_{match[3]}"] = torch.cat(rows)
    return {re.sub(r"^encoder\.", "decoder.", name): tensor for name, tensor in old.items()}


def as_012(state):
    """fairseq 0.12 stores a version and, at zero, a second set of weights for its fast path."""
    more = {"encoder.sentence_encoder.version": torch.tensor([3.0])}
    for layer in range(2):
        stem = f"encoder.sentence_encoder.layers.{layer}"
        more |= {
            f"{stem}.in_proj_weight": torch.zeros(96, 32),
            f"{stem}.in_proj_bias": torch.zeros(96),
        }
        for name in ("fc1", "fc2", "self_attn.out_proj"):
            for part in ("weight", "bias"):
                shape = state[f"{stem}.{name}.{part}"].shape
                more[f"{stem}.{name.rpartition('.')[2]}_{part}"] = torch.zeros(shape)
    return state | more


VERSIONS = {"0.8": as_old, "0.10": lambda state: state, "0.12": as_012}


def write(folder, state, *, zipped=True, **settings):
    """A folder as fairseq's hub has it; files of torch before 1.6 are not zipped."""
    folder.mkdir()
    encoder = {token: id_ for id_, token in enumerate([*sorted(LETTERS), "th", "the", "Ġa"])}
    (folder / "encoder.json").write_text(json.dumps(encoder))
    (folder / "vocab.bpe").write_text("#version: 0.2\nt h\nth e\nĠ a\n")
    lines = [f"{encoder[token]} 1\n" for token in tokens()[4:-1]]
    (folder / "dict.txt").write_text("".join(lines))
    args = argparse.Namespace(arch="roberta_base", encoder_attention_heads=4, **settings)
    held = {"args": args, "model": state, "extra_state": {"epoch": 3}}
    torch.save(held, folder / "model.pt", _use_new_zipfile_serialization=zipped)
    return folder


def save(model, folder):
    """A folder as transformers has it."""
    model.save_pretrained(folder)
    byte_level_bpe({token: id_ for id_, token in enumerate(tokens())}, MERGES).save(folder)
    return folder
