"""Result files: what was measured, on which machine, by which command."""

import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unmask.core import engine, files, machine

FOLDER = Path(__file__).parent / "results"


def write(
    name: str,
    *,
    title: str,
    text: str,
    rows: Sequence[Mapping[str, Any]],
    samples: Mapping[str, Any],
    folder: Path = FOLDER,
    command: str = f"python benchmarks/{Path(sys.argv[0]).name}",
) -> None:
    """Write `benchmarks/results/NAME.json`; docs/results.md is made from these files.

    Another folder is for trials, whose numbers mean nothing.
    """
    result = {
        "title": title,
        "text": text,
        "command": command,
        "machine": machine.describe(),
        "threads": engine.cores(),
        "rows": list(rows),
        "samples": dict(samples),
    }
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / f"{name}.json", result)
    for row in rows:
        print("  ".join(f"{key}: {value}" for key, value in row.items()), flush=True)


def spread(values: Sequence[float], form: str) -> str:
    """The median and the range."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} ({low:{form}} to {high:{form}})"
