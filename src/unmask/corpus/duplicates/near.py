"""Documents that are nearly the same: of each group, all but the first go.

Candidates are documents with a band of their signatures in common; a candidate pair counts if the
similarity estimated from the whole signatures reaches the threshold; what is linked through such
pairs is one group.

M documents with a common band, E pairs, D distinct documents in them, K values of a signature.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.corpus.duplicates import hashes, pairs
from unmask.corpus.duplicates.pairs import Pairs
from unmask.corpus.duplicates.signatures import Signatures
from unmask.corpus.work import Part, Work

COMPARED = 64
"""Each document of a band is compared with the first so many: what shares a band with more is as
good as always like one of those, and comparing all with all would take for ever."""

_DOCUMENTS_AT_ONCE = 1 << 12

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class BandTask:
    """One bucket of band hashes, out of the files of all parts."""

    parts: tuple[Part, ...]
    number: int
    of: int
    threshold: float
    work: Work


def compare(task: BandTask) -> dict[str, Any]:
    """Write the pairs of a bucket that are similar enough."""
    paths = ((task.work.bands(part), part) for part in task.parts)
    of_parts = [(path, part.first) for path, part in paths if path.exists()]
    found = [pairs.NONE]
    if of_parts:
        signatures = Signatures(task.parts, task.work)
        for position_M in hashes.repeated(hashes.bucket(of_parts, task.number, task.of)):
            found += _similar(position_M, signatures, task.threshold)
    together = Pairs(*map(np.concatenate, zip(*found, strict=True)))
    pairs.write(task.work.pairs(task.number), together)
    return {"pairs": len(together.one_P)}


def _similar(position_M: Ints, signatures: Signatures, threshold: float) -> Iterator[Pairs]:
    """Compare the documents of one band, each with the first ones ahead of it."""
    ahead_CK = signatures.at(position_M[:COMPARED])
    for start in range(0, len(position_M), _DOCUMENTS_AT_ONCE):
        of_chunk_M = position_M[start : start + _DOCUMENTS_AT_ONCE]
        chunk_MK = signatures.at(of_chunk_M)
        for position, ahead_K in zip(position_M, ahead_CK, strict=False):
            similarity_M = np.mean(chunk_MK == ahead_K, axis=1)
            like_M = of_chunk_M[(similarity_M >= threshold) & (of_chunk_M > position)]
            if len(like_M):
                yield Pairs(like_M, np.full(len(like_M), position))


def group(linked: Pairs) -> Pairs:
    """Give every document that is linked to an earlier one, with the first of its group.

    Groups are what is connected by pairs: union-find over all of them at once, each round giving
    every document the least that it or a neighbour is known to be connected to.
    """
    position_D, index_2E = np.unique(np.stack(linked), return_inverse=True)
    one_E, other_E = index_2E.reshape(2, -1)
    root_D = np.arange(len(position_D))
    while np.any(root_D[one_E] != root_D[other_E]):
        least_E = np.minimum(root_D[one_E], root_D[other_E])
        for end_E in (one_E, other_E):
            np.minimum.at(root_D, root_D[end_E], least_E)
        while np.any(root_D[root_D] != root_D):
            root_D = root_D[root_D]
    later_D = root_D != np.arange(len(root_D))
    return Pairs(position_D[later_D], position_D[root_D[later_D]])
