"""Texts and pairs of texts as sequences."""

from collections.abc import Sequence
from typing import TypeVar

from unmask.core.progress import bar, say
from unmask.finetune.sequences import Sequences
from unmask.finetune.table import Row
from unmask.tokenizer.tokenizer import Tokenizer

L = TypeVar("L")
AT_ONCE = 4096


def encoded(rows: Sequence[Row[L]], tokenizer: Tokenizer, max_length: int) -> Sequences:
    """Encode texts or pairs; what is cut off is counted and said."""
    ids: list[list[int]] = []
    types: list[list[int]] = []
    cut = 0
    with bar("encode", len(rows)) as progress:
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            pairs = [row.pair for row in some if row.pair is not None]
            texts = [row.text for row in some]
            for encoding in tokenizer.encode(texts, pairs or None, max_length=max_length):
                ids.append(encoding.ids)
                types.append(encoding.type_ids)
                cut += bool(encoding.overflowing)
            progress.advance(len(some))
    if cut:
        say(f"{cut:,} of {len(rows):,} examples are longer than {max_length} tokens and are cut")
    return Sequences.of(ids, types)
