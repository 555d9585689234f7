"""What a device reaches at best: matrix products, and bytes to and from its memory.

Shares of the machine (MFU) are of what was measured here, not of what a data sheet promises.
"""

import dataclasses
import time
from collections.abc import Callable

import torch

from unmask.core import machine
from unmask.train.config import Precision
from unmask.train.remembered import Measured, remember, remembered

SIDES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192, 16384)}
"""Sides of the square matrices that are tried: the best one counts."""
SECONDS = 0.3
"""For each side."""
COPIED = {"cpu": 1 << 27, "cuda": 1 << 30}
"""Bytes that are copied, far more than a cache holds."""
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclasses.dataclass(frozen=True, slots=True)
class _Key:
    """What a peak depends on."""

    device: str
    precision: str
    threads: int
    torch: str
    fp32_products: str
    """What torch may do to products of fp32, such as TF32."""


def matrix_peak(device: torch.device, precision: Precision) -> float:
    """FLOP/s of the best matrix product, measured once (about a second) and then remembered.

    `precision` is fp32, bf16 or fp16.
    """
    key = _key(device, precision)
    return remembered("peaks", key, lambda: _peak(device, precision))["flops"]


def measured_peak(device: torch.device, precision: Precision) -> float:
    """FLOP/s of the best matrix product, measured now and remembered."""
    found = _peak(device, precision)
    remember("peaks", _key(device, precision), found)
    return found["flops"]


def _peak(device: torch.device, precision: Precision) -> Measured:
    sides = SIDES[device.type]
    return {"flops": max(_product(side, device, DTYPES[precision]) for side in sides)}


def memory_bandwidth(device: torch.device) -> float:
    """Bytes a second, read and written, of a copy within the device's memory."""
    source = torch.ones(COPIED[device.type] // 4, device=device)
    target = torch.empty_like(source)
    return 2 * COPIED[device.type] / _shortest(lambda: target.copy_(source), device)


def device_name(device: torch.device) -> str:
    """What the device calls itself."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return str(machine.describe()["cpu"])


def _product(side: int, device: torch.device, dtype: torch.dtype) -> float:
    left, right, out = (torch.rand(side, side, device=device).sub_(0.5).to(dtype) for _ in range(3))
    # The right one is transposed, as the weights of a linear layer are.
    return 2 * side**3 / _shortest(lambda: torch.mm(left, right.t(), out=out), device)


def _shortest(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of the fastest of as many rounds as fit in the time; the first one is warm-up."""
    work()
    _wait(device)
    shortest, calls, end = float("inf"), 1, time.perf_counter() + SECONDS
    while True:
        started = time.perf_counter()
        for _ in range(calls):
            work()
        _wait(device)
        now = time.perf_counter()
        shortest = min(shortest, (now - started) / calls)
        if now > end:
            return shortest
        # On a card many are queued at once, so that what is measured is not the queueing.
        calls = max(1, min(64, int(SECONDS / 10 / shortest)))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _key(device: torch.device, precision: Precision) -> _Key:
    threads = torch.get_num_threads() if device.type == "cpu" else 0
    products = torch.get_float32_matmul_precision()
    return _Key(device_name(device), precision, threads, torch.__version__, products)
