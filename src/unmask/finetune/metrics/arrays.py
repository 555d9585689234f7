"""Gold and predicted values of the same examples, as arrays.

Legend: N examples, ... whatever an example has.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError

Array = npt.NDArray[Any]


def paired(gold: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Array, Array]:
    """Make arrays of one shape [N, ...] of both; UserError where there is no example."""
    gold_N, predicted_N = np.asarray(gold), np.asarray(predicted)
    assert gold_N.shape == predicted_N.shape, f"{gold_N.shape} and {predicted_N.shape}"
    if not len(gold_N):
        raise UserError("there are no examples to score", "give a table with labelled rows")
    return gold_N, predicted_N
