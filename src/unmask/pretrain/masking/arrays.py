"""What numpy and torch call by different names.

Everything in this package but `bulk` takes numpy arrays or torch tensors of any device and gives
the same integers for both, because only integers and comparisons of integers are computed. It
does not import torch: who has a tensor has done so.
"""

import sys
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import IntArray

BoolArray: TypeAlias = Any
"""A numpy array or a torch tensor of booleans."""


def namespace(array: IntArray | BoolArray) -> ModuleType:
    """The library whose functions take this array."""
    return np if isinstance(array, np.ndarray) else sys.modules["torch"]


def like(table: npt.NDArray[Any], array: IntArray | BoolArray) -> Any:  # noqa: ANN401
    """A numpy table where `array` is: as it is, or as a tensor on the same device."""
    if isinstance(array, np.ndarray):
        return table
    return namespace(array).from_numpy(table).to(array.device)


def copied(array: IntArray) -> IntArray:
    """The same numbers in memory of their own, row after row."""
    if isinstance(array, np.ndarray):
        return array.copy()
    return array.clone(memory_format=namespace(array).contiguous_format)


def numbers(count: int, array: IntArray | BoolArray) -> IntArray:
    """0 ... count - 1, where `array` is."""
    return namespace(array).arange(count, device=array.device)


def where_true(flags: BoolArray) -> IntArray:
    """The flat indices of true elements, ascending."""
    flat = flags.reshape(-1)
    return flat.nonzero()[0] if isinstance(flat, np.ndarray) else flat.nonzero()[:, 0]


def searched(ascending: IntArray, values: IntArray) -> IntArray:
    """How many of `ascending` are at most each value."""
    return namespace(values).searchsorted(ascending, values, side="right")
