"""`unmask pretrain` with one and with two processes on this machine, and what limits it.

    python benchmarks/scaling.py

The batch of a step is the same in all ways; processes share it. Two processes are started by
torchrun and talk by gloo. The seconds of a step are those that the run writes itself; what limits
is what keeps two processes from half the time of one: the largest of the parts that did not halve.
"""

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import results
from pretraining_data import Data, add_flags, prepare
from results import spread

from unmask.core.runs import Run

PARTS = ("data", "forward", "backward", "optimizer", "communication")
SHARED = ("data", "forward", "backward")
"""Parts of a step that processes share; the optimizer is the whole model's in each."""


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """Processes and their threads."""

    processes: int
    threads: int

    def __str__(self) -> str:
        ending = "es" if self.processes > 1 else ""
        return f"{self.processes} process{ending} x {self.threads} threads".replace(
            "1 threads", "1 thread"
        )


ONE, THREADS, PROCESSES = Way(1, 1), Way(1, 2), Way(2, 1)


def main() -> None:
    """Measure every way in turns and write the table."""
    flags = _flags()
    data = prepare(flags, flags.work)
    ways = [ONE, THREADS, PROCESSES]
    samples: dict[Way, list[dict[str, float]]] = {way: [] for way in ways}
    for round_ in range(flags.rounds):
        for way in ways if round_ % 2 == 0 else reversed(ways):
            samples[way].append(measure(flags, data, way))
    rows = [row(way, samples[way], samples[ONE]) for way in ways]
    results.write(
        "pretrain-scaling",
        title="Pretraining with one and two processes",
        text=f"`unmask pretrain`, L={flags.layers} D={flags.width} V={flags.vocabulary:,}, "
        f"{flags.batch} blocks of {flags.length} tokens a step, {data.origin}: the median of "
        f"{flags.rounds} rounds of {flags.steps} steps in turns, and the range; the first steps "
        "are left out. Milliseconds are those of a step; communication overlaps with backward.",
        rows=rows,
        samples={str(way): values for way, values in samples.items()},
        folder=flags.out,
    )


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_flags(parser, megabytes=16)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32, help="blocks of a step, over all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--work", type=Path, default=results.FOLDER.parents[1] / "runs/scaling")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the result")
    return parser.parse_args()


def measure(flags: argparse.Namespace, data: Data, way: Way) -> dict[str, float]:
    """Run it once; give tokens/s and the seconds of each part of a step."""
    folder = flags.work / "run"
    subprocess.run(
        [*launcher(way), *command(flags, data, folder)],
        env=os.environ | {"OMP_NUM_THREADS": str(way.threads)},
        check=True,
    )
    rows = [row for row in Run(folder).metrics() if row["kind"] == "train"][1:]
    steps_s = sum(row["tokens"] / row["tokens_per_s"] for row in rows)
    parts = {part: statistics.mean(row["seconds"][part] for row in rows) for part in PARTS}
    return {
        "tokens_per_s": sum(row["tokens"] for row in rows) / steps_s,
        "step_s": steps_s / (rows[-1]["step"] - rows[0]["step"] + per_row(flags)),
    } | parts


def launcher(way: Way) -> list[str]:
    """How the processes are started."""
    if way.processes == 1:
        return [sys.executable, "-m", "unmask"]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return [*torchrun, "--nproc-per-node", str(way.processes), "-m", "unmask"]


def per_row(flags: argparse.Namespace) -> int:
    """Steps between rows: the first of five is the warm-up."""
    return max(1, int(flags.steps) // 5)


def command(flags: argparse.Namespace, data: Data, folder: Path) -> list[str]:
    """The words of the run."""
    words = {
        "tokens": data.tokens,
        "out": folder,
        "batch": flags.batch,
        "micro-batch": max(1, flags.batch // 2),
        "steps": 5 * per_row(flags),
        "log-every": per_row(flags),
        "evaluate-every": 5 * per_row(flags),
        "valid-blocks": 16,
        "checkpoint-every": 5 * per_row(flags),
        "model.layers": flags.layers,
        "model.width": flags.width,
        "model.heads": flags.width // 64,
        "model.feed-forward": 4 * flags.width,
        "model.max-length": flags.length,
    }
    said = [str(part) for name, value in words.items() for part in (f"--{name}", value)]
    return ["pretrain", *said, "--force"]


def row(way: Way, values: list[dict[str, float]], single: list[dict[str, float]]) -> dict[str, str]:
    """One line of the table."""
    speeds = [value["tokens_per_s"] for value in values]
    pairs = zip(speeds, (value["tokens_per_s"] for value in single), strict=True)
    parts = median(values)
    return {
        "way": str(way),
        "tokens/s": spread(speeds, ",.0f"),
        "over 1 x 1": spread([one / other for one, other in pairs], ".2f"),
        **{f"{part}, ms": f"{1000 * parts[part]:.1f}" for part in PARTS},
        "what limits": "" if way == ONE else limit(way, parts, median(single)),
    }


def median(values: list[dict[str, float]]) -> dict[str, float]:
    """The median of each column."""
    return {name: statistics.median(value[name] for value in values) for name in values[0]}


def limit(way: Way, parts: Mapping[str, float], single: Mapping[str, float]) -> str:
    """Name the part that lost most against a perfect division of one's time, and how much."""
    by = way.processes * way.threads
    lost: dict[str, Any] = {part: parts[part] - single[part] / by for part in SHARED}
    lost["optimizer"] = parts["optimizer"] - single["optimizer"] / by
    # Only what does not overlap with backward makes the step longer.
    seen = parts["step_s"] - sum(parts[part] for part in (*SHARED, "optimizer"))
    lost["communication"] = max(0.0, min(parts["communication"], seen))
    part = max(lost, key=lambda name: lost[name])
    ideal = single["step_s"] / by
    return (
        f"{part}: {1000 * lost[part]:.1f} of the {1000 * (parts['step_s'] - ideal):.1f} ms over "
        f"the ideal {1000 * ideal:.1f} ms"
    )


if __name__ == "__main__":
    main()
