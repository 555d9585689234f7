"""Labelled examples as the model reads them, and their batches.

Legend: B batch, L length, N examples, C classes.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.finetune.table import Row
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.batch import Batch, by_length, pad
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train.config import Precision
from unmask.train.precision import autocast

TOKENS_PER_BATCH = 8192


@dataclasses.dataclass(frozen=True, slots=True)
class Examples:
    """Encoded texts with the numbers of their labels."""

    encodings: list[Encoding]
    label_N: npt.NDArray[np.int64]

    @classmethod
    def encode(
        cls, rows: Sequence[Row], labels: tuple[str, ...], tokenizer: Tokenizer, max_length: int
    ) -> "Examples":
        """Encode rows; UserError for a label that is not among `labels`."""
        number = {label: index for index, label in enumerate(labels)}
        for row in rows:
            if row.label not in number:
                raise UserError(
                    f"{row.place}: label {row.label!r} does not occur in the training data",
                    f"the model knows {', '.join(labels[:8])}; correct the row, or add training "
                    "examples of that label",
                )
        pairs = [row.pair for row in rows if row.pair is not None]
        encodings = tokenizer.encode(
            [row.text for row in rows], pairs or None, max_length=max_length
        )
        return cls(encodings, np.array([number[row.label] for row in rows], dtype=np.int64))


def to_tensors(batch: Batch, device: torch.device) -> tuple[torch.Tensor, ...]:
    """Move a padded batch to a device: ids_BL, mask_BL, types_BL."""
    arrays = (batch.ids_BL, batch.mask_BL, batch.types_BL)
    return tuple(torch.from_numpy(array).to(device) for array in arrays)


@torch.inference_mode()
def logits(
    model: SequenceClassifier, encodings: list[Encoding], pad_id: int, precision: Precision
) -> npt.NDArray[np.float32]:
    """Classify texts in batches of similar length; rows in the order of the texts."""
    model.eval()
    device = next(model.parameters()).device
    rows_NC = np.zeros((len(encodings), len(model.labels)), dtype=np.float32)
    for indices in by_length([len(item.ids) for item in encodings], TOKENS_PER_BATCH):
        tensors = to_tensors(pad([encodings[index] for index in indices], pad_id), device)
        with autocast(precision, device):
            rows_NC[indices] = model(*tensors).float().cpu().numpy()
    return rows_NC
