"""The best matrix product of a number format here: what shares of the machine are shares of."""

import dataclasses
import time
from typing import Literal

from unmask.train.remembered import Measured, remember, remembered

INT8_SIDES, INT8_S = (1024, 2048), 0.3
"""Sides of the square matrices that are tried, and seconds for each."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Int8Key:
    device: str
    threads: int
    torch: str
    precision: str = "int8"


def peak(number_format: str, threads: int, device_name: Literal["cpu", "cuda"]) -> float | None:
    """Operations a second, measured now; None for a format that has no products here.

    A machine that others use, too, is slower now and then, and a peak is what it can do: the best
    of this time and the time before counts.
    """
    import torch

    from unmask.train import peak as measured
    from unmask.train.precision import has_bf16

    device = torch.device(device_name)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        match number_format:
            case "fp32":
                return max(
                    measured.matrix_peak(device, "fp32"), measured.measured_peak(device, "fp32")
                )
            case "bf16" if has_bf16(device):
                return max(
                    measured.matrix_peak(device, "bf16"), measured.measured_peak(device, "bf16")
                )
            case "fp16" if device_name == "cuda":
                return max(
                    measured.matrix_peak(device, "fp16"), measured.measured_peak(device, "fp16")
                )
            case "int8" if device_name == "cpu":
                return _int8(_Int8Key(measured.device_name(device), threads, torch.__version__))
        return None
    finally:
        torch.set_num_threads(before)


def _int8(key: _Int8Key) -> float:
    earlier = remembered("peaks", key, _int8_product)
    now = _int8_product()
    found = max(earlier, now, key=lambda one: one["flops"])
    remember("peaks", key, found)
    return found["flops"]


def _int8_product() -> Measured:
    """The best of many products of signed 8-bit matrices with 32-bit sums."""
    import torch

    found = 0.0
    for side in INT8_SIDES:
        left, right = (torch.randint(-127, 127, (side, side), dtype=torch.int8) for _ in range(2))
        torch._int_mm(left, right)
        end = time.perf_counter() + INT8_S
        while (began := time.perf_counter()) < end:
            torch._int_mm(left, right)
            found = max(found, 2 * side**3 / (time.perf_counter() - began))
    return {"flops": found}
