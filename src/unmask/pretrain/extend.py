"""A model goes on with a tokenizer that was extended: its new tokens need rows.

Shapes: V vocabulary, D width, N new tokens, P the pieces of them all.
"""

import dataclasses
import json
from typing import Any

import tokenizers
import torch
from torch import Tensor
from torch.nn import functional as F

from unmask.core.errors import UserError
from unmask.model.heads import build
from unmask.pretrain.objective import PretrainModel
from unmask.tokenizer.tokenizer import Tokenizer

ROWS = ("encoder.embedding.word.weight", "bias")
"""Tensors of a masked language model with a row for each token."""

HINT = (
    "make the tokens with the tokenizer of the model, or with what unmask tokenizer --extend makes"
)


def extended(model: PretrainModel, old: Tokenizer, new: Tokenizer) -> PretrainModel:
    """Give each new token the mean of the rows of the pieces it was before, likewise its bias.

    So the model begins with what it knew of the pieces ("Fast Vocabulary Transfer for Language
    Model Compression", Gee et al. 2022). All other rows, and so the logits of all old tokens on
    old text, stay as they are. UserError if the new tokenizer is not the old one with more merges.
    """
    pieces = new_tokens(old, new)
    if not pieces:
        return model
    if old.vocabulary > model.config.vocabulary:
        raise UserError(
            f"its tokenizer has {old.vocabulary} ids, the model {model.config.vocabulary} rows",
            "bring the model and the tokenizer of one training together",
        )
    rows = max(model.config.vocabulary, new.vocabulary)
    state = model.state_dict()
    for name in state:
        if name.removeprefix("lm.") in ROWS:
            state[name] = _with_means(state[name], old.vocabulary, rows, pieces)
    config = dataclasses.replace(model.config, vocabulary=rows)
    with torch.device("meta"):
        larger = build(type(model), config)
    larger.load_state_dict(state, assign=True)
    return larger.train(model.training)


def new_tokens(old: Tokenizer, new: Tokenizer) -> list[list[int]]:
    """Cut each token that is only in the new tokenizer into ids of the old one.

    UserError if the new one is not the old one with more merges, and more ids after its own.
    """
    before, after = _settings(old), _settings(new)
    if before == after:
        return []
    ids, merges = before["model"].pop("vocab"), before["model"].pop("merges", [])
    more_ids, more_merges = after["model"].pop("vocab"), after["model"].pop("merges", [])
    if before != after:
        raise UserError("the tokens were made with a tokenizer that works in another way", HINT)
    other = [
        token for token in sorted(ids, key=ids.__getitem__) if more_ids.get(token) != ids[token]
    ]
    if other:
        raise UserError(
            f"the tokens were made with another vocabulary: {other[0]!r} is id {ids[other[0]]} of "
            f"the model, and {more_ids.get(other[0])} there ({len(other):,} such)",
            HINT,
        )
    if old.family == "bert":
        raise UserError(
            f"the tokens were made with {len(more_ids) - len(ids):,} WordPieces more than the "
            "model has",
            "a BERT goes on with the tokenizer it has; make the tokens with that one",
        )
    if more_merges[: len(merges)] != merges:
        raise UserError("the tokens were made with other merges than the model's", HINT)
    cut = tokenizers.Tokenizer.from_str(old.json).model
    return [
        [part.id for part in cut.tokenize(new.token(id_))]
        for id_ in range(old.vocabulary, new.vocabulary)
    ]


def _settings(tokenizer: Tokenizer) -> dict[str, Any]:
    """All that decides how text becomes ids, in today's form."""
    backend = tokenizers.Tokenizer.from_str(tokenizer.json)
    backend.no_truncation()
    backend.no_padding()
    settings: dict[str, Any] = json.loads(backend.to_str())
    # A token stands in the vocabulary whether it was added beside it or not.
    settings["model"]["vocab"] = backend.get_vocab()
    return settings


def _with_means(row_V: Tensor, first: int, rows: int, pieces: list[list[int]]) -> Tensor:
    """Set the rows from `first` on to the means of rows; row_V is [V, D] or [V]."""
    larger_V = row_V.new_zeros(rows, *row_V.shape[1:])
    larger_V[: len(row_V)] = row_V
    lengths_N = torch.tensor([len(cut) for cut in pieces])
    larger_V[first : first + len(pieces)] = F.embedding_bag(
        torch.tensor([id_ for cut in pieces for id_ in cut]),
        row_V.view(len(row_V), -1),
        lengths_N.cumsum(0) - lengths_N,
        mode="mean",
    ).view(-1, *row_V.shape[1:])
    return larger_V
