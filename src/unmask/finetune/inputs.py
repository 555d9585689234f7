"""Some sequences as tensors, padded on the right, and where their real tokens stand.

Legend: N sequences, B of them, L length of the longest, T their tokens.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from unmask.finetune.sequences import Sequences, counted

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """What an encoder reads. Only attention computes padding: see model/packing.py."""

    ids_BL: Tensor
    mask_BL: Tensor | None
    """True at real tokens; None where nothing is padded."""
    types_BL: Tensor | None
    """None where the model does not tell segments apart."""
    real_T: Tensor | None
    """The flat places of real tokens in B * L, ascending; None where nothing is padded."""

    def to(self, device: torch.device) -> "Inputs":
        """The same on a device."""
        if device.type == "cpu":
            return self
        tensors = (self.ids_BL, self.mask_BL, self.types_BL, self.real_T)
        return Inputs(*(None if one is None else _moved(one, device) for one in tensors))  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True, slots=True)
class Maker:
    """Makes the inputs of one model."""

    pad_id: int
    typed: bool
    """Whether the model tells segments apart."""

    def __call__(self, sequences: Sequences, index_B: Ints) -> Inputs:
        """Gather some sequences."""
        lengths_B = sequences.lengths_N[index_B]
        width = int(lengths_B.max())
        mask_BL = np.arange(width) < lengths_B[:, None]
        token_T = tokens_of(sequences, index_B)
        full = bool(mask_BL.all())
        types_BL = _spread(sequences.types_T[token_T], mask_BL, 0) if self.typed else None
        return Inputs(
            ids_BL=_spread(sequences.ids_T[token_T], mask_BL, self.pad_id),
            mask_BL=None if full else torch.from_numpy(mask_BL),
            types_BL=types_BL,
            real_T=None if full else torch.from_numpy(np.flatnonzero(mask_BL)),
        )


def tokens_of(sequences: Sequences, index_B: Ints) -> Ints:
    """The places of some sequences' tokens in `ids_T`, sequence after sequence."""
    return counted(sequences.starts_N1[index_B], sequences.lengths_N[index_B])


def _spread(values_T: npt.NDArray[np.integer], mask_BL: npt.NDArray[np.bool_], pad: int) -> Tensor:
    spread_BL = np.full(mask_BL.shape, pad, np.int64)
    spread_BL[mask_BL] = values_T
    return torch.from_numpy(spread_BL)


def _moved(tensor: Tensor, device: torch.device) -> Tensor:
    return tensor.pin_memory().to(device, non_blocking=True)
