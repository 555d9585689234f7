"""Encodings to arrays.

Shapes: B batch, L length.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import tokenizers

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """A padded batch; `mask_BL` is True where there is a token and False on padding."""

    ids_BL: npt.NDArray[np.int64]
    mask_BL: npt.NDArray[np.bool_]
    types_BL: npt.NDArray[np.int64]


def pad(encodings: Sequence[tokenizers.Encoding], pad_id: int, *, multiple_of: int = 1) -> Batch:
    """Pad on the right, to the longest and from there to a multiple."""
    longest = max((len(encoding) for encoding in encodings), default=0)
    shape = len(encodings), _round_up(longest, multiple_of)
    batch = Batch(
        np.full(shape, pad_id, np.int64), np.zeros(shape, bool), np.zeros(shape, np.int64)
    )
    for row, encoding in enumerate(encodings):
        length = len(encoding)
        batch.ids_BL[row, :length] = encoding.ids
        batch.mask_BL[row, :length] = True
        batch.types_BL[row, :length] = encoding.type_ids
    return batch


def by_length(
    lengths: Sequence[int], tokens_per_batch: int, *, multiple_of: int = 1
) -> list[list[int]]:
    """Group indices of similar length, the longest first.

    A batch has at most `tokens_per_batch` tokens with its padding, if it is padded by `pad` to the
    same multiple. Every index comes once; equal lengths keep their order. UserError if one is
    longer than a batch.
    """
    batches: list[list[int]] = []
    room = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if not room:
            longest = _round_up(lengths[index], multiple_of)
            room = _room(longest, tokens_per_batch)
            batches.append([])
        batches[-1].append(index)
        room -= 1
    return batches


def _room(longest: int, tokens_per_batch: int) -> int:
    """Count the rows of a batch whose longest is this."""
    if longest > tokens_per_batch:
        raise UserError(
            f"a text of {longest} tokens does not fit into a batch of {tokens_per_batch} tokens",
            "allow more tokens a batch, or cut texts to a shorter length",
        )
    return tokens_per_batch // max(longest, 1)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
