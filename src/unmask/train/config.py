"""Settings that every training run has."""

import dataclasses
from typing import Literal

from unmask.core.errors import UserError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Shard = Literal["none", "zero1", "zero2", "zero3"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class OptimConfig:
    """AdamW (RoBERTa, section 2.4 and table 9)."""

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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleConfig:
    """The learning rate after the warm-up."""

    shape: Literal["linear", "cosine", "stable"] = "linear"
    """linear and cosine fall from the peak to the end; stable stays at the peak and then falls
    linearly over the last part."""
    decay_share: float = 0.1
    """Share of all steps over which a stable rate falls at the end."""
    final_share: float = 0.0
    """Share of the peak that is left at the last step."""

    def __post_init__(self) -> None:
        for name in ("decay_share", "final_share"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise UserError(
                    f"--schedule.{name.replace('_', '-')} {value}: must be from 0 to 1", "try 0.1"
                )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class GuardConfig:
    """A step that goes wrong is left out; after some in a row, the run goes back."""

    spike: float | None = 8.0
    """Leave out a step whose loss lies so many standard deviations above its running mean; none:
    only one whose loss or gradient is no finite number."""
    patience: int = 5
    """So many steps left out in a row make the run go back to its last checkpoint, from where it
    goes on with the data that comes next."""
    rollbacks: int = 3
    """Going back so often without getting past the place ends the run."""

    def __post_init__(self) -> None:
        if self.spike is not None and self.spike <= 0:
            raise UserError(f"--guard.spike {self.spike}: must be positive", "try 8, or none")
        for name in ("patience", "rollbacks"):
            if (value := getattr(self, name)) < 1:
                raise UserError(f"--guard.{name} {value}: too small", "give 1 or more")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ParallelConfig:
    """How the processes that torchrun started share the work."""

    shard: Shard = "none"
    """none: every process holds all (DDP). zero1: each holds its part of the moments; zero2: of the
    gradients, too; zero3: of the weights, too."""
    timeout_minutes: float = 30.0
    """A process that is waited for longer ends the run."""

    def __post_init__(self) -> None:
        if self.timeout_minutes <= 0:
            raise UserError(
                f"--parallel.timeout-minutes {self.timeout_minutes}: must be positive", "try 30"
            )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TrackConfig:
    """Who else is told of the run; TensorBoard files and metrics.jsonl are always written."""

    wandb: str | None = None
    """Project of Weights & Biases."""
