"""RoBERTa checkpoints of fairseq (`model.pt`), old and new, read without running any of them."""

import re
from pathlib import Path

import torch
from torch import Tensor

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.model import pickles, tensors
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.tensors import Modules

ENCODER = "encoder.sentence_encoder"
LAYER = f"{ENCODER}.layers.#"
WORD = f"{ENCODER}.embed_tokens.weight"
POSITION = f"{ENCODER}.embed_positions.weight"
TYPE = f"{ENCODER}.segment_embeddings.weight"
UP = f"{ENCODER}.layers.0.fc1.weight"

MODULES: Modules = {
    "encoder.embedding.word": (f"{ENCODER}.embed_tokens",),
    "encoder.embedding.position": (f"{ENCODER}.embed_positions",),
    "encoder.embedding.token_type": (f"{ENCODER}.segment_embeddings",),
    "encoder.embedding.norm": (f"{ENCODER}.layernorm_embedding",),
    "encoder.blocks.#.attention.qkv": (
        f"{LAYER}.self_attn.q_proj",
        f"{LAYER}.self_attn.k_proj",
        f"{LAYER}.self_attn.v_proj",
    ),
    "encoder.blocks.#.attention.out": (f"{LAYER}.self_attn.out_proj",),
    "encoder.blocks.#.attention_norm": (f"{LAYER}.self_attn_layer_norm",),
    "encoder.blocks.#.up": (f"{LAYER}.fc1",),
    "encoder.blocks.#.down": (f"{LAYER}.fc2",),
    "encoder.blocks.#.feed_forward_norm": (f"{LAYER}.final_layer_norm",),
    "": ("encoder.lm_head",),
    "dense": ("encoder.lm_head.dense",),
    "norm": ("encoder.lm_head.layer_norm",),
}
RENAMED = {"decoder.": "encoder.", f"{ENCODER}.emb_layer_norm.": f"{ENCODER}.layernorm_embedding."}
"""Beginnings of names before fairseq 0.10 (models/roberta/model.py, upgrade_state_dict_named)."""
TIED = {"encoder.lm_head.weight": WORD}
IGNORED = re.compile(r"classification_heads\..*|.*\.version|(.*\.)?_float_tensor")
"""What has no place in a masked language model; it is left out and the user is told."""

PAD, BOS, EOS = 1, 0, 2
HEAD_SIZE = 64


def read(path: Path) -> MaskedLM:
    """Read a checkpoint as a masked language model (fairseq/models/roberta/model.py).

    fairseq has no token types, so the one row of that table is zero. UserError for a file that
    is no RoBERTa of fairseq, naming the tensors that do not fit.
    """
    checkpoint = pickles.load(path)
    theirs = _tensors(checkpoint, path)
    config = _config(theirs, checkpoint, path)
    theirs.setdefault(TYPE, torch.zeros(config.types, config.width, dtype=theirs[WORD].dtype))
    with torch.device("meta"):
        model = MaskedLM(config)
    names = tensors.names(model, MODULES)
    tensors.check(
        theirs,
        tensors.split(model.state_dict(), names),
        f"{path}: does not hold a RoBERTa",
        "only post-LN RoBERTa models of fairseq with learned positions can be read",
    )
    model.load_state_dict(tensors.join(theirs, names), assign=True)
    return model


def _tensors(checkpoint: object, path: Path) -> dict[str, Tensor]:
    """Bring the tensors to today's names; leave out, and name, what has no place."""
    stored = checkpoint.get("model") if isinstance(checkpoint, dict) else None
    if not isinstance(stored, dict) or not all(isinstance(x, Tensor) for x in stored.values()):
        raise UserError(f"{path}: holds no fairseq model", "name a model.pt that fairseq wrote")
    theirs: dict[str, Tensor] = {}
    ignored = []
    for name, tensor in stored.items():
        if IGNORED.fullmatch(name):
            ignored.append(name)
        elif name.endswith(("in_proj_weight", "in_proj_bias")):
            theirs |= _unstacked(_today(name), tensor)
        else:
            theirs[_today(name)] = tensor
    if ignored:
        say(f"{path}: ignored {', '.join(ignored)}")
    tensors.untie(theirs, TIED, path)
    return theirs


def _config(theirs: dict[str, Tensor], checkpoint: dict[str, object], path: Path) -> ModelConfig:
    """Read the sizes off the shapes; only the number of heads has to be written somewhere."""
    absent = [name for name in (WORD, POSITION, UP) if name not in theirs]
    if absent:
        raise UserError(f"{path}: {absent[0]} is missing", "name a RoBERTa checkpoint of fairseq")
    vocabulary, width = theirs[WORD].shape
    layers = {match[1] for name in theirs if (match := re.search(r"\.layers\.(\d+)\.", name))}
    return ModelConfig(
        family="roberta",
        vocabulary=vocabulary,
        layers=len(layers),
        width=width,
        heads=_heads(checkpoint, width, path),
        feed_forward=theirs[UP].shape[0],
        max_length=theirs[POSITION].shape[0] - PAD - 1,
        types=theirs[TYPE].shape[0] if TYPE in theirs else 1,
        norm_eps=1e-5,
        pad_id=PAD,
        bos_id=BOS,
        eos_id=EOS,
    )


def _heads(checkpoint: dict[str, object], width: int, path: Path) -> int:
    settings = [checkpoint.get("args"), checkpoint.get("cfg")]
    activation = pickles.recorded(settings, "activation_fn") or "gelu"
    if activation != "gelu":
        raise UserError(f"{path}: its activation is {activation}", "only gelu can be read")
    heads = pickles.recorded(settings, "encoder_attention_heads")
    if isinstance(heads, int):
        return heads
    say(f"{path}: records no number of heads; heads of size {HEAD_SIZE} are taken")
    return max(1, width // HEAD_SIZE)


def _today(name: str) -> str:
    for old, new in RENAMED.items():
        if name.startswith(old):
            name = new + name.removeprefix(old)
    return name


def _unstacked(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """Split `in_proj_weight` or `in_proj_bias`, which stack query, key and value."""
    stem, _, parameter = name.rpartition("in_proj_")
    parts = zip("qkv", tensor.chunk(3), strict=True)
    return {f"{stem}{part}_proj.{parameter}": rows for part, rows in parts}
