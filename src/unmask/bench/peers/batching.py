"""How a user of another runner makes batches of sentences.

Legend: B batch, L length.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from unmask.finetune.sequences import Sequences

Order = Literal["padded", "fours"]
"""padded: all at once, to the longest; fours: sorted by length, four at a time."""
FOUR = 4

Ints = npt.NDArray[np.int64]
Arrays = tuple[Ints, Ints, Ints]
"""ids_BL, mask_BL and types_BL."""
PLACES = {"input_ids": 0, "attention_mask": 1, "token_type_ids": 2}
"""Which of the arrays an input of this name is."""


def batches(sequences: Sequences, order: Order, pad_id: int) -> Iterator[Arrays]:
    """Give the padded batches of a request."""
    each = len(sequences) if order == "padded" else FOUR
    by_length = np.argsort(sequences.lengths_N, kind="stable")
    for first in range(0, len(by_length), each):
        yield padded(sequences, by_length[first : first + each], pad_id)


def padded(sequences: Sequences, index_B: Ints, pad_id: int) -> Arrays:
    """Pad some sequences on the right, to the longest of them."""
    lengths_B = sequences.lengths_N[index_B]
    shape = len(index_B), int(lengths_B.max())
    ids_BL, mask_BL, types_BL = (np.full(shape, fill, np.int64) for fill in (pad_id, 0, 0))
    for row, index in enumerate(index_B):
        begin, end = sequences.starts_N1[index : index + 2]
        ids_BL[row, : end - begin] = sequences.ids_T[begin:end]
        types_BL[row, : end - begin] = sequences.types_T[begin:end]
        mask_BL[row, : end - begin] = 1
    return ids_BL, mask_BL, types_BL


def fed(arrays: Arrays, inputs: Mapping[str, bool]) -> dict[str, Ints]:
    """What a graph's inputs are fed with; those that say True have a dimension for choices."""
    return {
        name: arrays[PLACES[name]][:, None] if choices else arrays[PLACES[name]]
        for name, choices in inputs.items()
    }


def answering(
    forward: Callable[[Arrays], object], order: Order, pad_id: int
) -> Callable[[Sequences], object]:
    """Answer a request batch by batch."""

    def answer(sequences: Sequences) -> object:
        found: object = None
        for arrays in batches(sequences, order, pad_id):
            found = forward(arrays)  # the one before is let go, as ours are
        return found

    return answer
