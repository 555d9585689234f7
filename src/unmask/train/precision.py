"""Which device and which number format a run computes in."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from unmask.core import machine
from unmask.core.errors import UserError
from unmask.train.config import Device, Precision

BF16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}


def resolve_device(device: Device) -> torch.device:
    """Turn `auto` into the best device there is; an explicit one must be there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch sees no CUDA device here", "use --device cpu")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def resolve_precision(precision: Precision, device: torch.device) -> Precision:
    """Turn `auto` into bf16 where the device computes it natively, else fp32."""
    native = has_bf16(device)
    if precision == "bf16" and not native:
        raise UserError(
            f"--precision bf16: this {device.type} has no bf16 instructions",
            "use --precision fp32, or auto",
        )
    if precision == "auto":
        return "bf16" if native else "fp32"
    return precision


def has_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(BF16_INSTRUCTIONS & set(machine.describe()["instruction_sets"]))


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Compute matrix products in bf16; weights, sums and LayerNorm stay in fp32."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
