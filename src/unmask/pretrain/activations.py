"""Outliers of activations, which make a model hard to quantize.

Legend: B blocks, L length, D width, T real tokens.
"""

import dataclasses

import torch
from torch import Tensor

from unmask.model.heads import Pretraining
from unmask.pretrain.batches import MaskedBatch
from unmask.pretrain.objective import PretrainModel


@dataclasses.dataclass(frozen=True, slots=True)
class Outliers:
    """One number for each layer, the embedding first."""

    kurtosis: list[float]
    """Pearson's, 3 for a normal distribution: the fourth moment over the squared variance."""
    largest: list[float]
    """The largest absolute value."""

    def row(self) -> dict[str, list[float]]:
        """Both, for a row of `metrics.jsonl`."""
        return {"kurtosis": self.kurtosis, "largest": self.largest}


@torch.inference_mode()
def outliers(model: PretrainModel, batch: MaskedBatch) -> Outliers:
    """Measure the hidden states of one micro-batch, at real tokens, without dropout, in fp32.

    Both numbers are those of Bondarenko et al. (2023), section 5: a model whose activations have
    heavy tails loses much when they are rounded to 8 bits.
    """
    lm = model.lm if isinstance(model, Pretraining) else model
    training = model.training
    model.eval()
    try:
        states = lm.encoder.hidden_states(batch.ids_BL, batch.mask_BL, batch.types_BL)
    finally:
        model.train(training)
    kurtosis, largest = [], []
    for hidden_BLD in states:
        real_TD = hidden_BLD.flatten(0, 1) if batch.mask_BL is None else hidden_BLD[batch.mask_BL]
        kurtosis.append(_kurtosis(real_TD))
        largest.append(real_TD.abs().amax())
    return Outliers(torch.stack(kurtosis).tolist(), torch.stack(largest).tolist())


def _kurtosis(values: Tensor) -> Tensor:
    """Over all values, in double precision, as fourth powers of outliers dwarf the rest."""
    centred = values.double() - values.double().mean()
    return (centred**4).mean() / (centred**2).mean() ** 2
