"""The items of one input or two as the sequences that a model reads.

Legend: N sequences, T tokens of all of them.
"""

from collections.abc import Sequence

import numpy as np

from unmask.core.progress import say
from unmask.finetune.fairseq_data.index import Ints, Items
from unmask.finetune.sequences import Sequences
from unmask.tokenizer.tokenizer import Tokenizer


def assemble(inputs: Sequence[Items], tokenizer: Tokenizer, *, max_length: int) -> Sequences:
    """Write `<s> A </s>`, or `<s> A </s></s> B </s>`, of items that end with `</s>` already.

    As fairseq/tasks/sentence_prediction.py with --init-token 0, --separator-token 2 and
    --shorten-method truncate: what is over `max_length` is cut off at the end of the whole. The
    last token of a cut sequence becomes `</s>` here, so that every sequence is closed. BERT's have
    one `[SEP]` between, and types 0 and 1.
    """
    assert 1 <= len(inputs) <= 2
    assert max_length >= 2
    count = len(inputs[0])
    ones_N = np.ones(count, dtype=np.int64)
    parts = [(ones_N * tokenizer.bos_id, ones_N, 0), (inputs[0].values_T, inputs[0].sizes_N, 0)]
    if len(inputs) == 2:
        assert len(inputs[1]) == count
        roberta = tokenizer.family == "roberta"
        if roberta:
            parts.append((ones_N * tokenizer.eos_id, ones_N, 0))
        parts.append((inputs[1].values_T, inputs[1].sizes_N, 0 if roberta else 1))
    return _cut(_woven(parts), tokenizer.eos_id, max_length)


def _woven(parts: list[tuple[Ints, Ints, int]]) -> Sequences:
    """Put the tokens of each sequence together, part after part."""
    numbers_N = np.arange(len(parts[0][1]))
    sequence_T = np.concatenate([numbers_N.repeat(sizes_N) for _, sizes_N, _ in parts])
    order_T = sequence_T.argsort(kind="stable")
    ids_T = np.concatenate([values for values, _, _ in parts])
    types_T = np.concatenate([np.full(len(values), type_) for values, _, type_ in parts])
    lengths_N = sum(sizes_N for _, sizes_N, _ in parts)
    starts_N1 = np.concatenate([[0], np.cumsum(lengths_N)])
    return Sequences(ids_T[order_T].astype(np.int32), types_T[order_T].astype(np.int8), starts_N1)


def _cut(whole: Sequences, eos_id: int, max_length: int) -> Sequences:
    lengths_N = whole.lengths_N
    long_N = lengths_N > max_length
    if not long_N.any():
        return whole
    say(f"{long_N.sum():,} of {len(whole):,} sequences: cut to {max_length} tokens")
    place_T = np.arange(len(whole.ids_T)) - whole.starts_N1[:-1].repeat(lengths_N)
    kept_T = place_T < max_length
    starts_N1 = np.concatenate([[0], np.minimum(lengths_N, max_length).cumsum()])
    ids_T = whole.ids_T[kept_T]
    ids_T[starts_N1[1:][long_N] - 1] = eos_id
    return Sequences(ids_T, whole.types_T[kept_T], starts_N1)
