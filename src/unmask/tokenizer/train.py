"""Train a byte-level BPE in RoBERTa's form."""

import json
from collections.abc import Iterable

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from unmask.core.errors import UserError
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.family import ROBERTA
from unmask.tokenizer.tokenizer import Tokenizer

MIN_FREQUENCY = 2
"""A pair that occurs once is chance, and a token for it would never be trained."""


def train(lines: Iterable[str], vocabulary: int) -> Tokenizer:
    """Learn the merges; ids: `<s>` `<pad>` `</s>` `<unk>`, 256 bytes, merges, `<mask>` last.

    The same lines give the same bytes. UserError if the text is too small for the vocabulary.
    """
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 1,
        min_frequency=MIN_FREQUENCY,
        special_tokens=list(ROBERTA.specials[:-1]),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(lines, trainer)
    model = json.loads(backend.to_str())["model"]
    ids = model["vocab"] | {ROBERTA.mask: len(model["vocab"])}
    if len(ids) < vocabulary:
        raise UserError(
            f"the text is enough for {len(ids):,} ids, not for {vocabulary:,}",
            f"--vocabulary {len(ids)}, or more text",
        )
    return byte_level_bpe(ids, [(left, right) for left, right in model["merges"]])
