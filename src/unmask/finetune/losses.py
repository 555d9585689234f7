"""What a head's logits are held against: one loss for each kind of answer.

A loss is a sum over the examples of a micro-batch, and a step divides it by the sum of `divisor`
over all its micro-batches.

Legend: B sequences, L length, T real tokens, N examples, C classes or choices.
"""

import dataclasses
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unmask.finetune.examples import Targets
from unmask.finetune.inputs import Inputs

IGNORED = -100
"""Target of a token that is not learnt from, as in torch and transformers."""


class Loss(Protocol):
    """How answers of one kind are learnt."""

    def __call__(self, logits: Tensor, inputs: Inputs, targets: Tensor) -> Tensor:
        """Sum over a micro-batch; logits are those of its sequences, or of its real tokens."""

    def divisor(self, targets: Targets) -> float:
        """What the sum is a sum of: examples, tokens, or their weights."""


@dataclasses.dataclass(frozen=True, slots=True)
class OneClass:
    """One class an example: cross entropy, with a weight for each class if there are any."""

    weight_C: tuple[float, ...] | None = None

    def __call__(self, logits: Tensor, inputs: Inputs, targets: Tensor) -> Tensor:
        """Cross entropy of logits_NC and targets_N."""
        weight_C = None if self.weight_C is None else logits.new_tensor(self.weight_C)
        return F.cross_entropy(logits, targets, weight_C, reduction="sum")

    def divisor(self, targets: Targets) -> float:
        """Examples, or the sum of their classes' weights (torch: CrossEntropyLoss, mean)."""
        if self.weight_C is None:
            return float(len(targets))
        return float(np.asarray(self.weight_C)[targets].sum())


@dataclasses.dataclass(frozen=True, slots=True)
class SeveralClasses:
    """Any number of classes an example: the mean of a binary cross entropy for each class."""

    def __call__(self, logits: Tensor, inputs: Inputs, targets: Tensor) -> Tensor:
        """Binary cross entropy of logits_NC and targets_NC."""
        loss_NC = F.binary_cross_entropy_with_logits(logits, targets.float(), reduction="none")
        return loss_NC.mean(1).sum()

    def divisor(self, targets: Targets) -> float:
        """Examples."""
        return float(len(targets))


@dataclasses.dataclass(frozen=True, slots=True)
class OneNumber:
    """A number an example: squared error."""

    def __call__(self, logits: Tensor, inputs: Inputs, targets: Tensor) -> Tensor:
        """Squared error of logits_N1 and targets_N."""
        return F.mse_loss(logits.squeeze(1), targets.float(), reduction="sum")

    def divisor(self, targets: Targets) -> float:
        """Examples."""
        return float(len(targets))


@dataclasses.dataclass(frozen=True, slots=True)
class OneChoice:
    """The right one of some sequences: cross entropy over their scores."""

    choices: int

    def __call__(self, logits: Tensor, inputs: Inputs, targets: Tensor) -> Tensor:
        """Cross entropy of logits of N * C sequences and targets_N."""
        return F.cross_entropy(logits.view(-1, self.choices), targets, reduction="sum")

    def divisor(self, targets: Targets) -> float:
        """Examples."""
        return float(len(targets))


@dataclasses.dataclass(frozen=True, slots=True)
class TokenClasses:
    """A class for some of the tokens: cross entropy."""

    def __call__(self, logits: Tensor, inputs: Inputs, targets: Tensor) -> Tensor:
        """Cross entropy of logits_TC and targets_T, without what is ignored."""
        return F.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")

    def divisor(self, targets: Targets) -> float:
        """Tokens that have a class."""
        return float((targets != IGNORED).sum())


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """Where an answer starts and ends: the mean of two cross entropies over the tokens.

    All tokens of a sequence compete, the question's, too, and no padding (Devlin et al. 2019,
    section 4.2; transformers: RobertaForQuestionAnswering).
    """

    def __call__(self, logits: Tensor, inputs: Inputs, targets: Tensor) -> Tensor:
        """Cross entropy of logits_T2 and targets_B2, the places of both ends."""
        logits_BL2 = _padded(logits, inputs)
        both_2BL = logits_BL2.permute(2, 0, 1)
        ends = zip(both_2BL, targets.unbind(1), strict=True)
        return (
            sum(
                (F.cross_entropy(one_BL, place_B, reduction="sum") for one_BL, place_B in ends),
                start=logits.new_zeros(()),
            )
            / 2
        )

    def divisor(self, targets: Targets) -> float:
        """Sequences."""
        return float(len(targets))


def _padded(logits_T2: Tensor, inputs: Inputs) -> Tensor:
    """Sequences again, (B, L, 2), where padding can never be chosen."""
    shape = *inputs.ids_BL.shape, 2
    if inputs.real_T is None:
        return logits_T2.view(shape)
    lowest = torch.finfo(logits_T2.dtype).min
    places_P2 = logits_T2.new_full((inputs.ids_BL.numel(), 2), lowest)
    padded_P2: Tensor = places_P2.index_copy(0, inputs.real_T, logits_T2)
    return padded_P2.view(shape)
