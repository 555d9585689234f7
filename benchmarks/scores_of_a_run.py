"""What a pretraining brings: SST-2 and CoLA, fine-tuned from a run's model and from random weights.

    python benchmarks/scores_of_a_run.py --run RUN --glue FOLDER [--seeds 3]

RUN is the folder of a finished `unmask pretrain`; FOLDER holds SST-2/ and CoLA/ as GLUE has them
(train.tsv and dev.tsv, also as .gz). Both starts are tuned alike, with the same seeds, as many at
once as there are cores; what is done already is not done again. Scores are on dev, as GLUE's test
labels are not public: SST-2 after one epoch, CoLA after the best of three.

Writes the table, the loss curve, the run's report page and its metrics.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import loss_curves
import results
from results import spread

from unmask.core import engine, files, manifests
from unmask.core.runs import Run
from unmask.model import weights

NAME = "wikipedia-hour"
STARTS = ("pretrained", "random")
TASKS: dict[str, tuple[str, ...]] = {
    "SST-2": ("--task=sst2", "--epochs=1"),
    "CoLA": ("--task=cola", "--epochs=3"),
}
TUNING = ("--batch=32", "--optim.peak-lr=3e-4", "--dropout=0.1", "--max-length=128")
"""A small model wants a larger rate than the paper's base; dropout, as labels are few."""


def main() -> None:
    """Fine-tune what is missing, and write everything."""
    flags = _flags()
    jobs = [
        (task, start, seed) for task in TASKS for start in STARTS for seed in range(flags.seeds)
    ]
    with ThreadPoolExecutor(engine.cores()) as pool:
        values = pool.map(lambda job: tuned(flags, *job), jobs)
        found = dict(zip(jobs, values, strict=True))
    scores = {
        (task, start): [found[task, start, seed] for seed in range(flags.seeds)]
        for task in TASKS
        for start in STARTS
    }
    write(flags, scores)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True, help="folder of the pretraining")
    parser.add_argument("--glue", type=Path, required=True, help="folder with SST-2/ and CoLA/")
    parser.add_argument("--origin", default="English Wikipedia", help="the text, in words")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=results.FOLDER.parents[1] / "runs/scores")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the results")
    return parser.parse_args()


def tuned(flags: argparse.Namespace, task: str, start: str, seed: int) -> float:
    """Fine-tune once, on one core; the best score on dev, in percent."""
    out = flags.work / f"{task}-{start}-{seed}"
    words = [
        f"--model={flags.run / 'model'}",
        f"--data={flags.glue / task}",
        f"--out={out}",
        *TASKS[task],
    ]
    command = ["finetune", *words, *TUNING, f"--weights={start}", f"--seed={seed}"]
    with out.with_suffix(".log").open("wb") as log:
        subprocess.run(
            [sys.executable, "-m", "unmask", *command],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stderr=log,
            check=True,
        )
    facts = manifests.read(out / "model").facts
    score = 100 * float(facts[f"dev_{facts['metric']}"])
    print(f"{task} {start} seed {seed}: {score:.1f}", file=sys.stderr, flush=True)
    return score


def write(flags: argparse.Namespace, scores: dict[tuple[str, str], list[float]]) -> None:
    """Write the table and what the run itself has written."""
    rows = list(Run(flags.run).metrics())
    loss_curves.draw_run(flags.out / f"{NAME}.svg", rows, f"{flags.origin}, masked tokens")
    report(flags.run, flags.out / f"{NAME}.html")
    shutil.copyfile(flags.run / "metrics.jsonl", flags.out / f"{NAME}.jsonl")
    results.write(
        NAME,
        title="An hour of English Wikipedia on two cores, and what it brings",
        text=f"{said_of_the_run(flags.run, rows)} Fine-tuned with {flags.seeds} seeds each "
        f"(`{' '.join(TUNING)}`): SST-2 for one epoch, CoLA for the best of three on dev, so "
        f"a little too good on both sides. [Report page](../benchmarks/results/{NAME}.html), "
        f"[metrics](../benchmarks/results/{NAME}.jsonl).",
        rows=list(table(scores)),
        samples={
            "scores": {f"{task}, {start}": values for (task, start), values in scores.items()},
            "command": "torchrun --nproc-per-node 2 -m unmask pretrain "
            "--recipe recipes/laptop.toml --tokens D --out R",
            "machine of the run": files.read_json(flags.run / "machine.json"),
        },
        folder=flags.out,
    )


def said_of_the_run(run: Path, rows: Sequence[dict[str, Any]]) -> str:
    """What was trained, in a sentence or two."""
    train = [row for row in rows if row["kind"] == "train"]
    first, *_, last = (row for row in rows if row["kind"] == "valid")
    tokens = sum(row["tokens"] for row in train)
    minutes = (last["time"] - first["time"]) / 60
    model = weights.read_config(run / "model")
    return (
        f"`recipes/laptop.toml` in two processes: L={model.layers} D={model.width} "
        f"V={model.vocabulary:,}, {last['step']:,} steps, {tokens / 1e6:.1f} M tokens in "
        f"{minutes:.0f} minutes. Held-out loss {first['loss']:.2f} to {last['loss']:.2f}, masked "
        f"accuracy {last['accuracy']:.1%}."
    )


def table(scores: dict[tuple[str, str], list[float]]) -> Iterator[dict[str, str]]:
    """One line a task: median and range over the seeds."""
    for task in TASKS:
        pretrained, random = (scores[task, start] for start in STARTS)
        gain = statistics.median(pretrained) - statistics.median(random)
        apart = max(random) < min(pretrained) or max(pretrained) < min(random)
        yield {
            "task, metric on dev": f"{task}, {'accuracy' if task == 'SST-2' else 'MCC'}",
            "from the run": spread(pretrained, ".1f"),
            "from random weights": spread(random, ".1f"),
            "gain": f"{gain:+.1f}{'' if apart else ', within the spread of seeds'}",
        }


def report(run: Path, out: Path) -> None:
    """Write the run's page, with its folders named as a reader has them."""
    subprocess.run([sys.executable, "-m", "unmask", "report", run, "--out", out], check=True)
    page = out.read_text(encoding="utf-8")
    out.write_text(page.replace(f"{run.parent}/", "runs/"), encoding="utf-8")


if __name__ == "__main__":
    main()
