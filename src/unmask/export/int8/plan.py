"""What is computed in 8 bits, and how.

Legend: I width of a layer's input, O of its output.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
LEVELS = 127
"""Steps of a weight on each side of zero."""
LEVELS_WITHOUT_VNNI = 63
"""The same where processors add two products of 8 bits in 16, which must not overflow:
255 * 63 * 2 < 2^15 (onnxruntime calls it reduce_range)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Quantised:
    """A linear layer in 8 bits: weights by output, symmetric; its input by one scale."""

    scale: float | None
    """Step of the input; None: found anew for every batch."""
    zero: int = 0
    """The number from 0 to 255 that stands for 0."""
    levels: int = LEVELS
    migration_I: Floats | None = None
    """By what each channel of the input is divided, and its weights are multiplied
    (Xiao et al. 2023, SmoothQuant, equation 3)."""


def weight_scale(weight_IO: Floats, levels: int) -> Floats:
    """The step of each output's weights, (O,): the largest is the last level."""
    most_O = np.abs(weight_IO).max(0)
    return np.where(most_O > 0, most_O / levels, 1).astype(np.float32)


def weight_ints(weight_IO: Floats, site: Quantised) -> tuple[Floats, Floats]:
    """Migrate weights; give them as whole numbers of steps, (I, O), and the steps, (O,)."""
    if site.migration_I is not None:
        weight_IO = weight_IO * site.migration_I[:, None]
    scale_O = weight_scale(weight_IO, site.levels)
    return np.clip(np.round(weight_IO / scale_O), -site.levels, site.levels), scale_O
