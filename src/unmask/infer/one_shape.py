"""A backend that takes one shape only: batches are cut and filled up to it.

Legend: B batch, L length.
"""

import numpy as np

from unmask.core.errors import UserError
from unmask.infer.backend import Backend, Logits
from unmask.tokenizer.batch import Batch


class OneShape:
    """An export that was written for one batch size and one length."""

    def __init__(self, backend: Backend, batch: int, length: int, pad_id: int) -> None:
        self._backend = backend
        self._batch, self._length, self._pad_id = batch, length, pad_id
        self.name = f"{backend.name}, {batch} x {length}"
        self.streams = backend.streams
        self.batch_tokens = batch * length

    def logits(self, batch: Batch) -> Logits:
        """Run a batch of any size; UserError for a text that is longer than the shape."""
        rows, length = batch.ids_BL.shape
        if length > self._length:
            raise UserError(
                f"a text of {length} tokens: the export takes {self._length}",
                "cut or window texts to that length (--max-length), or export without --shape",
            )
        parts = [
            self._backend.logits(self._filled(batch, slice(first, first + self._batch)))
            for first in range(0, rows, self._batch)
        ]
        logits = np.concatenate(parts)[:rows]
        by_token = logits.ndim == 3
        return logits[:, :length] if by_token else logits

    def _filled(self, batch: Batch, part: slice) -> Batch:
        """Some rows, with padding on the right and rows of it below."""
        shape = self._batch, self._length
        filled = Batch(
            np.full(shape, self._pad_id, np.int64), np.zeros(shape, bool), np.zeros(shape, np.int64)
        )
        ids_BL = batch.ids_BL[part]
        rows, length = ids_BL.shape
        filled.ids_BL[:rows, :length] = ids_BL
        filled.mask_BL[:rows, :length] = batch.mask_BL[part]
        filled.types_BL[:rows, :length] = batch.types_BL[part]
        return filled
