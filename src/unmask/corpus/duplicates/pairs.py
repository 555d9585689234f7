"""Files of pairs of documents, each document given by its position in the corpus.

P pairs.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmask.core import files, locations
from unmask.corpus.work import Part

Ints = npt.NDArray[Any]


class Pairs(NamedTuple):
    """Two columns of positions."""

    one_P: Ints
    other_P: Ints


NONE = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))


def write(path: Path, pairs: Pairs) -> None:
    """Write the pairs sorted and each once: one column after the other, 8 bytes a position."""
    order_P = np.lexsort(pairs[::-1])
    pairs_2P = np.stack(pairs)[:, order_P].astype("<i8")
    first_P = np.any(np.diff(pairs_2P, axis=1, prepend=-1), axis=0)
    pairs_2P = pairs_2P[:, first_P]
    with files.atomic(path) as file:
        file.write(pairs_2P.tobytes())


def read(path: Path) -> Pairs:
    """Map a file of pairs into memory."""
    path = locations.local(path)
    if not path.stat().st_size:
        return NONE
    return Pairs(*np.memmap(path, "<i8", "r").reshape(2, -1))


def of_part(paths: Iterable[Path], part: Part) -> Pairs:
    """Gather the pairs whose first column names a document of this part."""
    pieces = [NONE]
    for path in paths:
        pairs = read(path)
        start, stop = np.searchsorted(pairs.one_P, [part.first, part.first + part.rows])
        pieces.append(Pairs(pairs.one_P[start:stop], pairs.other_P[start:stop]))
    return Pairs(*map(np.concatenate, zip(*pieces, strict=True)))
