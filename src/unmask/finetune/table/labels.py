"""Labels as numbers: their order, and what each is worth.

Legend: N rows, C labels.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.table.rows import Row

_INTEGER = re.compile(r"-?[0-9]+")
_SHOWN = 8
"""Labels that an error names."""


def label_names(found: Iterable[str]) -> tuple[str, ...]:
    """Number the labels in a fixed order: by value if all are integers, else by name."""
    names = sorted(set(found))
    if all(_INTEGER.fullmatch(name) for name in names):
        names.sort(key=int)
    return tuple(names)


def class_numbers(rows: Sequence[Row[str]], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Number each row's label as in `names`: class_N; UserError for one that is not among them."""
    numbers = {name: index for index, name in enumerate(names)}
    found = (_known(numbers, row.label, row.place) for row in rows)
    return np.fromiter(found, np.int64, len(rows))


def indicators(rows: Sequence[Row[tuple[str, ...]]], names: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Tell which labels each row has: label_NC; UserError for one that is not among `names`."""
    numbers = {name: index for index, name in enumerate(names)}
    label_NC = np.zeros((len(rows), len(names)), dtype=np.bool_)
    for row, label_C in zip(rows, label_NC, strict=True):
        label_C[[_known(numbers, label, row.place) for label in row.label]] = True
    return label_NC


def balanced_weights(rows: Sequence[Row[str]], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Weigh each class by N / (C * its rows), so that all classes count alike: weight_C.

    This is scikit-learn's "balanced" (King and Zeng 2001); the mean weight of a row is 1.
    UserError for a class without rows.
    """
    counts = Counter(row.label for row in rows)
    if missing := [name for name in names if not counts[name]]:
        raise UserError(
            f"balanced class weights: no row has the label {missing[0]!r}",
            "add rows of it, or give the weights by name",
        )
    return np.array([len(rows) / (len(names) * counts[name]) for name in names])


def named_weights(given: Mapping[str, float], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Put weights that were given by name into the order of the labels: weight_C.

    UserError unless every label has exactly one, above 0 and finite.
    """
    if unknown := [name for name in given if name not in names]:
        raise UserError(f"class weight of {unknown[0]!r}: no such label", _knows(names))
    if missing := [name for name in names if name not in given]:
        raise UserError(
            f"class weights: none for the label {missing[0]!r}",
            f"give each label one (1 leaves it as it is): {', '.join(names[:_SHOWN])}",
        )
    for name, weight in given.items():
        if not (weight > 0 and math.isfinite(weight)):
            raise UserError(
                f"class weight of {name!r}: {weight:g} is not above 0 and finite",
                "leave out the rows of a label that is to count for nothing",
            )
    return np.array([given[name] for name in names], dtype=np.float64)


def _known(numbers: Mapping[str, int], label: str, place: str) -> int:
    if label not in numbers:
        raise UserError(
            f"{place}: label {label!r} does not occur in the training data",
            f"{_knows(tuple(numbers))}; correct the row, or add training examples of that label",
        )
    return numbers[label]


def _knows(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"the labels are {', '.join(names[:_SHOWN])}{more}"
