"""A model runs over real texts, and what goes into its layers is looked at.

Legend: B sequences, T real tokens, D width.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.core.progress import bar
from unmask.export.config import LEAST_TEXTS
from unmask.export.int8.observed import Observed
from unmask.export.int8.sites import Model, intercepted, sites
from unmask.finetune.forward import TOKENS_PER_BATCH
from unmask.finetune.inputs import Inputs, Maker
from unmask.finetune.sequences import Sequences
from unmask.model.heads import MultipleChoice, SequenceClassifier
from unmask.tokenizer.batch import by_length


def observe(
    model: Model, sequences: Sequences, maker: Maker, *, least: int = LEAST_TEXTS
) -> dict[str, Observed]:
    """Look at what goes into each site while the model reads the sequences, in float.

    Padding never counts. Nor does, where the head reads first tokens alone, anything of the last
    block that the exported graph does not compute (Encoder.asked). UserError for fewer sequences
    than `least`, or if an input is not finite.
    """
    require(len(sequences), least)
    seen = {name: Observed.empty(layer.in_features) for name, layer in sites(model).items()}

    def look(site: str, value: Tensor) -> Tensor:
        if not bool(value.isfinite().all()):
            raise UserError(
                f"what goes into {site} is not finite: the model overflows on a real text",
                "train it again, or choose an earlier checkpoint: 8 bits cannot mend it",
            )
        seen[site] = seen[site].added(value.flatten(0, -2))
        return value

    groups = by_length(sequences.lengths_N.tolist(), TOKENS_PER_BATCH)
    with answering(model), intercepted(model, look), bar("calibrate", len(groups)) as progress:
        for group in groups:
            states(model, maker(sequences, np.array(group)).to(device_of(model)))
            progress.advance()
    return seen


@contextmanager
def answering(model: nn.Module) -> Iterator[None]:
    """Let a model answer within: no dropout, no gradients; as it was afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def states(model: Model, inputs: Inputs) -> Tensor:
    """What the head reads, computed as the exported graph does: (B, D) or (T, D)."""
    read = inputs.mask_BL, inputs.types_BL, inputs.real_T
    if isinstance(model, MultipleChoice | SequenceClassifier):
        first_B1 = torch.zeros_like(inputs.ids_BL[:, :1])
        return model.encoder.asked(inputs.ids_BL, first_B1, *read)[:, 0]
    return model.encoder.packed(inputs.ids_BL, *read)


def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights are."""
    return next(model.parameters()).device


def require(texts: int, least: int = LEAST_TEXTS) -> None:
    """UserError for too few texts to calibrate on."""
    if texts < least:
        raise UserError(
            f"calibration on {texts} texts: ranges of fewer than {least} do not hold",
            f"give {least} or more texts of the kind that the model will read",
        )
