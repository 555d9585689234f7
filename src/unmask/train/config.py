"""Settings that every training run has."""

import dataclasses
from typing import Literal

from unmask.core.errors import UserError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OptimConfig:
    """AdamW with a linear warm-up and a linear decay to zero (RoBERTa, section 2.4 and table 9)."""

    peak_lr: float = 6e-4
    """Learning rate at the end of the warm-up."""
    beta1: float = 0.9
    """Decay of the running mean of gradients."""
    beta2: float = 0.98
    """Decay of the running mean of squared gradients."""
    eps: float = 1e-6
    """Added to the root of the second moment."""
    weight_decay: float = 0.01
    """Decoupled weight decay."""
    decay: Literal["all", "matrices"] = "all"
    """What is decayed: all parameters, as in fairseq, or matrices only (no bias, no LayerNorm)."""
    clip_norm: float = 0.0
    """Largest gradient norm; 0 turns clipping off, as in the paper."""

    def __post_init__(self) -> None:
        if self.peak_lr <= 0:
            raise UserError(f"--optim.peak-lr {self.peak_lr}: must be positive", "try 6e-4")
        for name, value in (("beta1", self.beta1), ("beta2", self.beta2)):
            if not 0 <= value < 1:
                raise UserError(f"--optim.{name} {value}: must be in [0, 1)", "try 0.9 and 0.98")
        for name in ("eps", "weight_decay", "clip_norm"):
            if (value := getattr(self, name)) < 0:
                raise UserError(
                    f"--optim.{name.replace('_', '-')} {value}: is negative", "give 0 or more"
                )
