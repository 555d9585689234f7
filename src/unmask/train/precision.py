"""Which device and which number format a run computes in."""

import dataclasses
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from unmask.core import machine
from unmask.core.errors import UserError
from unmask.train.config import Device, Precision

GROWTH_STEPS = 2_000
BF16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}


def resolve_device(device: Device) -> torch.device:
    """Turn `auto` into the best device there is; an explicit one must be there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch sees no CUDA device here", "use --device cpu")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def resolve_precision(precision: Precision, device: torch.device) -> Precision:
    """Turn `auto` into bf16 where it is native, else into fp16 on a card and fp32 elsewhere."""
    native = has_bf16(device)
    if precision == "bf16" and not native:
        raise UserError(
            f"--precision bf16: this {device.type} has no bf16 instructions",
            "use --precision fp32, or auto",
        )
    if precision == "fp16" and device.type != "cuda":
        raise UserError(
            f"--precision fp16: needs a card, this is {device.type}",
            "use --precision fp32, or auto",
        )
    if precision == "auto":
        return "bf16" if native else "fp16" if device.type == "cuda" else "fp32"
    return precision


def has_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(BF16_INSTRUCTIONS & set(machine.describe()["instruction_sets"]))


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Compute matrix products in bf16 or fp16; weights, sums and LayerNorm stay in fp32."""
    if precision == "fp32":
        return nullcontext()
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype)


@dataclasses.dataclass(slots=True)
class LossScale:
    """The factor that keeps fp16 gradients from vanishing (Micikevicius et al. 2018, section 3.2).

    It halves when a gradient overflows and doubles after 2,000 steps without one, as in
    torch.amp.GradScaler.
    """

    value: torch.Tensor
    good_steps: torch.Tensor

    @classmethod
    def of(cls, device: torch.device) -> "LossScale":
        """Start where GradScaler does."""
        return cls(torch.tensor(2.0**16, device=device), torch.tensor(0.0, device=device))

    def update(self, *, overflow: torch.Tensor) -> None:
        """Take in how a step went, on the device."""
        good_steps = torch.where(overflow, 0.0, self.good_steps + 1)
        grown = good_steps >= GROWTH_STEPS
        self.value = torch.where(overflow, self.value / 2, self.value * (1.0 + grown))
        self.good_steps = torch.where(grown, 0.0, good_steps)

    def state(self) -> list[float]:
        """Both numbers."""
        return [float(self.value), float(self.good_steps)]

    def restore(self, state: list[float]) -> None:
        """Go on from a saved state."""
        self.value.fill_(state[0])
        self.good_steps.fill_(state[1])
