"""What was found out about the machine."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unmask.core import machine, resources
from unmask.core.progress import say
from unmask.doctor import extras
from unmask.train import peak
from unmask.train.advice import advice
from unmask.train.config import Precision
from unmask.train.facts import machine_facts
from unmask.train.precision import has_bf16, resolve_device

if TYPE_CHECKING:
    import torch


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A processor or a card, and what it was measured to reach."""

    name: str
    kind: Literal["cpu", "cuda"]
    memory_free: int | None
    """Bytes."""
    peaks: dict[str, float]
    """FLOP/s of matrix products, by precision."""
    bandwidth: float
    """Bytes a second, read and written."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """All that is shown."""

    machine: dict[str, Any]
    """As `core/machine.py` describes it."""
    threads: int
    quota: float | None
    disk_free: int
    compiler: str | None
    devices: tuple[Device, ...]
    extras: dict[str, list[str]]
    """For each extra, which of its packages are missing."""
    advice: tuple[str, ...]


def look(out: Path) -> Findings:
    """Look at everything and measure every device."""
    import torch

    say("measuring matrix products and memory, a few seconds a device ...")
    cards = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    devices = tuple(_device(device) for device in (torch.device("cpu"), *cards))
    return Findings(
        machine=machine.describe(),
        threads=torch.get_num_threads(),
        quota=resources.cpu_quota(),
        disk_free=resources.disk_free(out),
        compiler=resources.compiler(),
        devices=devices,
        extras=extras.missing(),
        advice=tuple(_advice(devices, out)),
    )


def _device(device: "torch.device") -> Device:
    import torch

    precisions: list[Precision] = ["fp32"]
    precisions += ["bf16"] if has_bf16(device) else []
    precisions += ["fp16"] if device.type == "cuda" else []
    card = device.type == "cuda"
    free = torch.cuda.mem_get_info(device)[0] if card else resources.memory_free()
    return Device(
        name=peak.device_name(device),
        kind="cuda" if card else "cpu",
        memory_free=free,
        peaks={precision: peak.measured_peak(device, precision) for precision in precisions},
        bandwidth=peak.memory_bandwidth(device),
    )


def _advice(devices: tuple[Device, ...], out: Path) -> list[str]:
    """Advise on the device that `--device auto` takes."""
    device = resolve_device("auto")
    peaks = next(item.peaks for item in devices if item.kind == device.type)
    gain = peaks["bf16"] / peaks["fp32"] if "bf16" in peaks else None
    return advice(machine_facts(device, out, gain))
