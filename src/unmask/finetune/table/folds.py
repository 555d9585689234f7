"""Cross-validation: every row is for dev in exactly one fold.

The folds are stratified: rows are dealt out stratum by stratum, in a keyed order, as cards are; so
each fold has its share of every stratum, up to one row, and all folds are equally large, up to one
row. Which fold a row is in is a pure function of the rows and the seed.

Legend: N rows.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.hashing import draw, stream

T = TypeVar("T")


def class_folds(labels: Sequence[str], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Number the fold of each row, from 0, each with its share of every class: fold_N.

    UserError for fewer than two folds, and for a class that is too rare to be in each.
    """
    _require_several(folds)
    for label, count in sorted(Counter(labels).items()):
        if count < folds:
            raise UserError(
                f"{folds} folds: the label {label!r} has only {count} rows",
                "give fewer folds, or more rows of that label, so that each fold has one",
            )
    _, class_N = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)
    return _dealt(class_N, folds, seed)


def number_folds(numbers: Sequence[float], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Number the fold of each row, from 0, each with its share of small and large: fold_N.

    A stratum is as many rows of neighbouring values as there are folds.
    UserError for fewer than two folds, or fewer rows than folds.
    """
    _require_several(folds)
    if len(numbers) < folds:
        raise UserError(f"{folds} folds: only {len(numbers)} rows", "give fewer folds")
    order_N = np.lexsort((_draws(len(numbers), seed), np.asarray(numbers)))
    rank_N = np.empty_like(order_N)
    rank_N[order_N] = np.arange(len(numbers))
    return _dealt(rank_N // folds, folds, seed)


def parts(rows: Sequence[T], fold_N: npt.NDArray[np.int64], fold: int) -> tuple[list[T], list[T]]:
    """Split rows into those to train on and those for dev of one fold, in their order."""
    train = [row for row, own in zip(rows, fold_N, strict=True) if own != fold]
    dev = [row for row, own in zip(rows, fold_N, strict=True) if own == fold]
    return train, dev


def _dealt(stratum_N: npt.NDArray[np.integer], folds: int, seed: int) -> npt.NDArray[np.int64]:
    order_N = np.lexsort((_draws(len(stratum_N), seed), stratum_N))
    fold_N = np.empty(len(order_N), dtype=np.int64)
    fold_N[order_N] = np.arange(len(order_N)) % folds
    return fold_N


def _draws(count: int, seed: int) -> npt.NDArray[np.int64]:
    draw_N: npt.NDArray[np.int64] = draw(stream("folds", seed), np.arange(count))
    return draw_N


def _require_several(folds: int) -> None:
    if folds < 2:
        raise UserError(f"{folds} folds: too few", "give 2 or more; 5 and 10 are usual")
