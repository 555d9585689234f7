"""What was found out, as tables."""

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unmask.doctor.findings import Device, Findings

WIDTH = 100
"""Columns where no terminal says how many it has."""
GOOD, BAD = "green", "yellow"


def show(found: Findings, console: Console | None = None) -> None:
    """Print everything, to stdout unless told otherwise."""
    console = console or Console(width=None if sys.stdout.isatty() else WIDTH)
    for part in (_machine(found), _devices(found), _extras(found)):
        console.print(part, "", highlight=False)
    if not found.advice:
        console.print(Text("Nothing here will be slow.", GOOD))
        return
    console.print(Text("What will be slow, and what to do", "bold"))
    for sentence in found.advice:
        console.print(Text(f"- {sentence}"), highlight=False)


def _machine(found: Findings) -> Table:
    about = found.machine
    memory = about["memory_bytes"]
    grid = Table.grid(padding=(0, 2))
    rows = [
        ("Processor", str(about["cpu"])),
        ("Cores", _cores(found)),
        ("Instructions", ", ".join(about["instruction_sets"]) or "none of those that matter here"),
        ("Memory", "unknown" if memory is None else f"{memory / 2**30:.1f} GiB"),
        ("Disk", f"{found.disk_free / 2**30:,.0f} GiB free"),
        ("System", str(about["system"])),
        ("Versions", ", ".join(f"{k} {v}" for k, v in about["versions"].items())),
        ("Compiler", found.compiler or "none"),
    ]
    for name, value in rows:
        grid.add_row(Text(name, "dim"), Text(value))
    return grid


def _cores(found: Findings) -> str:
    allowed = "" if found.quota is None else f", of which the container is allowed {found.quota:g}"
    return f"{found.machine['cores']}{allowed}; torch computes with {found.threads} threads"


def _devices(found: Findings) -> Table:
    table = Table(title="Measured just now", title_justify="left", title_style="bold", box=None)
    table.add_column("device")
    for name in ("fp32", "bf16", "fp16", "memory", "free"):
        table.add_column(name, justify="right")
    for device in found.devices:
        table.add_row(Text(device.name), *_measured(device))
    return table


def _measured(device: Device) -> list[str]:
    free = "" if device.memory_free is None else f"{device.memory_free / 2**30:.1f} GiB"
    return [
        *(_flops(device.peaks.get(name)) for name in ("fp32", "bf16", "fp16")),
        f"{device.bandwidth / 1e9:,.1f} GB/s",
        free,
    ]


def _flops(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value / 1e12:,.1f} TFLOP/s" if value >= 1e12 else f"{value / 1e9:,.0f} GFLOP/s"


def _extras(found: Findings) -> Table:
    table = Table(title="Extras", title_justify="left", title_style="bold", box=None)
    table.add_column("extra")
    table.add_column("")
    for name, gone in found.extras.items():
        hint = f"missing {', '.join(gone)}: pip install 'unmask[{name}]'"
        table.add_row(Text(name), Text(hint, BAD) if gone else Text("installed", GOOD))
    return table
