"""Many sequences by a backend: sorted by length, in batches, several of them at once.

Legend: N sequences, B of them at once, L length, T tokens of all, C outputs.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from unmask.core.progress import bar
from unmask.finetune.inputs import tokens_of
from unmask.finetune.sequences import Ints, Sequences
from unmask.infer.backend import Backend, Logits
from unmask.tokenizer.batch import Batch, by_length

AHEAD = 2
"""Batches that wait for a stream, for each of them."""


def answered(
    backend: Backend, lengths: Sequence[int], gather: Callable[[list[int]], Batch]
) -> Iterator[tuple[list[int], Batch, Logits]]:
    """Yield (numbers of sequences, their batch, its logits), the longest first.

    `gather` makes the padded batch of some sequences. Batches are of similar length, so that few
    places are padding, and no more of them are held than the backend computes and takes next.
    """
    budget = max(backend.batch_tokens, max(lengths, default=0))
    groups = by_length(lengths, budget)
    if backend.streams == 1 or len(groups) == 1:
        for group in groups:
            batch = gather(group)
            yield group, batch, backend.logits(batch)
        return
    waiting: deque[tuple[list[int], Batch, Future[Logits]]] = deque()
    with ThreadPoolExecutor(backend.streams) as pool:
        for group in groups:
            batch = gather(group)
            waiting.append((group, batch, pool.submit(backend.logits, batch)))
            if len(waiting) >= AHEAD * backend.streams:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def by_sequence(backend: Backend, sequences: Sequences, pad_id: int) -> Logits:
    """Logits of each sequence, (N, C)."""
    return _rows(backend, sequences, pad_id, by_token=False)


def by_token(backend: Backend, sequences: Sequences, pad_id: int) -> Logits:
    """Logits of each token, end to end as `sequences.ids_T` has them, (T, C)."""
    return _rows(backend, sequences, pad_id, by_token=True)


def padded(sequences: Sequences, index_B: Ints, pad_id: int) -> Batch:
    """Gather some sequences as a padded batch."""
    lengths_B = sequences.lengths_N[index_B]
    mask_BL = np.arange(lengths_B.max()) < lengths_B[:, None]
    token_T = tokens_of(sequences, index_B)
    ids_BL = np.full(mask_BL.shape, pad_id, np.int64)
    types_BL = np.zeros(mask_BL.shape, np.int64)
    ids_BL[mask_BL] = sequences.ids_T[token_T]
    types_BL[mask_BL] = sequences.types_T[token_T]
    return Batch(ids_BL, mask_BL, types_BL)


def _rows(backend: Backend, sequences: Sequences, pad_id: int, *, by_token: bool) -> Logits:
    found: Logits | None = None
    with bar("predict", len(sequences)) as progress:
        for group, batch, logits in answered(
            backend,
            sequences.lengths_N.tolist(),
            lambda group: padded(sequences, np.array(group), pad_id),
        ):
            index_B = np.array(group)
            rows = logits[batch.mask_BL] if by_token else logits
            if found is None:
                count = len(sequences.ids_T) if by_token else len(sequences)
                found = np.zeros((count, rows.shape[-1]), np.float32)
            found[tokens_of(sequences, index_B) if by_token else index_B] = rows
            progress.advance(len(group))
    assert found is not None, "there is something to answer"
    return found


def _first(
    waiting: deque[tuple[list[int], Batch, Future[Logits]]],
) -> tuple[list[int], Batch, Logits]:
    group, batch, answer = waiting.popleft()
    return group, batch, answer.result()
