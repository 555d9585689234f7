"""A backend over sequences: rows of logits, in the order of the sequences.

Legend: N sequences, B of them at once, T tokens of all, C outputs.
"""

import numpy as np

from unmask.core.progress import bar
from unmask.finetune.forward import Logits
from unmask.finetune.inputs import tokens_of
from unmask.finetune.sequences import Sequences
from unmask.infer.backend import Backend
from unmask.tokenizer.batch import Batch, by_length

TOKENS_PER_BATCH = 4096


def by_sequence(backend: Backend, sequences: Sequences, pad_id: int) -> Logits:
    """Logits of each sequence, (N, C)."""
    return _rows(backend, sequences, pad_id, by_token=False)


def by_token(backend: Backend, sequences: Sequences, pad_id: int) -> Logits:
    """Logits of each token, end to end as `sequences.ids_T` has them, (T, C)."""
    return _rows(backend, sequences, pad_id, by_token=True)


def _rows(backend: Backend, sequences: Sequences, pad_id: int, *, by_token: bool) -> Logits:
    groups = by_length(sequences.lengths_N.tolist(), TOKENS_PER_BATCH)
    found: Logits | None = None
    with bar("predict", len(sequences)) as progress:
        for group in groups:
            index_B = np.array(group)
            batch = padded(sequences, index_B, pad_id)
            logits = backend.logits(batch)
            if by_token:
                logits = logits[batch.mask_BL]
            if found is None:
                count = len(sequences.ids_T) if by_token else len(sequences)
                found = np.zeros((count, logits.shape[-1]), np.float32)
            found[tokens_of(sequences, index_B) if by_token else index_B] = logits
            progress.advance(len(group))
    assert found is not None, "there is something to answer"
    return found


def padded(sequences: Sequences, index_B: "np.typing.NDArray[np.int64]", pad_id: int) -> Batch:
    """Gather some sequences as a padded batch."""
    lengths_B = sequences.lengths_N[index_B]
    mask_BL = np.arange(lengths_B.max()) < lengths_B[:, None]
    token_T = tokens_of(sequences, index_B)
    ids_BL = np.full(mask_BL.shape, pad_id, np.int64)
    types_BL = np.zeros(mask_BL.shape, np.int64)
    ids_BL[mask_BL] = sequences.ids_T[token_T]
    types_BL[mask_BL] = sequences.types_T[token_T]
    return Batch(ids_BL, mask_BL, types_BL)
