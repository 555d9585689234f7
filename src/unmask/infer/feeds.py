"""What a graph reads and what it gives, under the names of transformers.

Legend: B batch, L length.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.infer.backend import Logits
from unmask.tokenizer.batch import Batch


def feed_of(batch: Batch, inputs: Mapping[str, npt.DTypeLike]) -> dict[str, npt.NDArray[Any]]:
    """Name a batch's arrays as a graph's inputs, in the types they have there."""
    arrays = {
        "input_ids": batch.ids_BL,
        "attention_mask": batch.mask_BL,
        "token_type_ids": batch.types_BL,
    }
    return {name: arrays[name].astype(kind) for name, kind in inputs.items()}


def one_array(outputs: Sequence[npt.NDArray[Any]]) -> Logits:
    """A graph's only output, or its starts and ends as [B, L, 2]."""
    return outputs[0] if len(outputs) == 1 else np.stack(outputs, axis=-1)
