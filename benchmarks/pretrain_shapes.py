"""What a pretraining step is measured on: shapes, the weights to start from, one batch.

Legend: B blocks, L length, M masked positions, N masked positions of a block.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise

Precision = Literal["auto", "fp32", "bf16"]
Compile = Literal["auto", "on", "off"]
MASKED_SHARE = 0.15


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """An encoder and the blocks of a step."""

    layers: int
    width: int
    length: int
    vocabulary: int
    blocks: tuple[int, ...]
    """Blocks of a step; of several sizes, each side takes the one at which it is fastest."""

    @property
    def config(self) -> ModelConfig:
        """The architecture: RoBERTa with heads of 64."""
        return ModelConfig(
            family="roberta",
            vocabulary=self.vocabulary,
            layers=self.layers,
            width=self.width,
            heads=self.width // 64,
            feed_forward=4 * self.width,
            max_length=self.length,
            types=1,
            norm_eps=1e-5,
            pad_id=1,
            bos_id=0,
            eos_id=2,
        )

    def __str__(self) -> str:
        return f"L={self.layers} D={self.width} V={self.vocabulary:,}, length {self.length}"


SHAPES: dict[str, dict[str, Shape]] = {
    "cpu": {
        "small": Shape(4, 256, 128, 50_265, (16,)),
        "medium": Shape(8, 512, 128, 50_265, (16,)),
    },
    "cuda": {
        "medium": Shape(8, 512, 512, 50_265, (64, 128, 256)),
        "base": Shape(12, 768, 512, 50_265, (32, 64, 128)),
    },
}
TRIAL = {"tiny": Shape(1, 64, 16, 1_000, (2, 4))}
"""Only to see that a script works: `--shapes tiny`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """Blocks with masks."""

    ids_BL: torch.Tensor
    positions_M: torch.Tensor
    """Flat indices into B * L, ascending."""
    targets_M: torch.Tensor

    @classmethod
    def of(cls, shape: Shape, blocks: int, device: torch.device) -> "Batch":
        """Random ids, of which 15 % of each block are hidden behind the last id."""
        dice = torch.Generator().manual_seed(0)
        ids_BL = torch.randint(4, shape.vocabulary - 1, (blocks, shape.length), generator=dice)
        order_BL = torch.rand(ids_BL.shape, generator=dice).argsort(1)
        places_BN = order_BL[:, : round(MASKED_SHARE * shape.length)].sort(1).values
        starts_B1 = shape.length * torch.arange(blocks)[:, None]
        positions_M = (starts_B1 + places_BN).flatten()
        targets_M = ids_BL.flatten()[positions_M]
        ids_BL.view(-1)[positions_M] = shape.vocabulary - 1
        return cls(ids_BL.to(device), positions_M.to(device), targets_M.to(device))


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """What a side is given."""

    weights: Path
    """Model folder to start from."""
    batch: Batch
    device: torch.device


@dataclasses.dataclass(frozen=True, slots=True)
class Built:
    """A side that is ready."""

    step: Callable[[], None]
    """One update."""
    loss: Callable[[], float]
    """Mean loss of the batch without dropout."""
    precision: Precision
    """What `auto` has become."""


def write_weights(shape: Shape, folder: Path) -> None:
    """Write the model folder that both sides start from."""
    model = MaskedLM(shape.config)
    initialise(model, 0)
    weights.save(model, folder)
