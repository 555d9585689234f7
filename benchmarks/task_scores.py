"""What a pretraining brings: real tasks, fine-tuned from a run's model and from random weights.

    python benchmarks/task_scores.py --english RUN --chinese RUN --data FOLDER [--only RTE CoLA]

RUN is the folder of a finished `unmask pretrain` (task_pretraining.sh makes both); FOLDER holds the
public data (task_cases.py names what). Both starts are tuned alike, with the same seeds, all at
once. What is done already is not done again, and what is not done has no row. Where labels of
the test set are public, they are what is scored; the moment was chosen on dev.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import results
from results import spread
from task_cases import Case, cases

from unmask.core import files
from unmask.core.runs import Run
from unmask.model import weights

STARTS = ("pretrained", "random")
TUNING = ("--optim.peak-lr=3e-4", "--dropout=0", "--restarts=0")
"""A small model wants a larger rate than the paper's base, and few epochs no dropout; a seed that
is stuck counts as it is."""


def main() -> None:
    """Fine-tune what is missing, and write the table of what is there."""
    flags = _flags()
    runs = {"english": flags.english, "chinese": flags.chinese}
    chosen = [case for case in cases() if not flags.only or case.name in flags.only]
    scores: dict[str, dict[str, list[float]]] = {}
    for case in chosen:
        run = runs[case.language]
        if run is None:
            continue
        scores[case.name] = {start: tuned(flags, case, run, start) for start in STARTS}
        write(flags, runs, scores)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--english", type=Path, help="folder of a pretraining on English text")
    parser.add_argument("--chinese", type=Path, help="folder of a pretraining on Chinese text")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data")
    parser.add_argument("--only", nargs="*", default=(), help="names of tasks")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=results.FOLDER.parents[1] / "runs/tasks")
    parser.add_argument("--out", type=Path, default=results.FOLDER, help="folder of the results")
    return parser.parse_args()


def tuned(flags: argparse.Namespace, case: Case, run: Path, start: str) -> list[float]:
    """Fine-tune with every seed; what each scores."""
    prepared = flags.work / "data"
    out = flags.work / f"{case.name.replace(' ', '-')}-{start}"
    words = [
        *(f"--task={case.task}", f"--data={case.data(flags.data, prepared)}"),
        *(f"--model={run / 'model'}", f"--out={out}", f"--weights={start}"),
        *(f"--seeds={flags.seeds}", f"--at-once={flags.seeds}"),
        *(*TUNING, *case.words),
    ]
    print(f"$ unmask finetune {' '.join(words)}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "unmask", "finetune", *words], check=True)
    return [
        case.percent * score(flags, case, prepared, out / "runs" / f"seed-{seed}")
        for seed in range(flags.seeds)
    ]


def score(flags: argparse.Namespace, case: Case, prepared: Path, run: Path) -> float:
    """One run's score: on test if its labels are public, else the one on dev."""
    if case.test is None:
        found = json.loads((run / "model" / "manifest.json").read_text())["facts"]
        return float(found[f"dev_{case.metric}"])
    kept = run / "test.json"
    if not kept.exists():
        words = [f"--model={run / 'model'}", f"--data={case.test(flags.data, prepared)}"]
        entities = [word for word in case.words if word.startswith("--entities")]
        done = subprocess.run(
            [sys.executable, "-m", "unmask", "evaluate", *words, *case.test_words, *entities],
            stdout=subprocess.PIPE,
            check=True,
        )
        kept.write_bytes(done.stdout)
    return float(json.loads(kept.read_text())[case.metric])


def write(
    flags: argparse.Namespace,
    runs: dict[str, Path | None],
    scores: dict[str, dict[str, list[float]]],
) -> None:
    """Write the table."""
    told = " ".join(said_of(name, run) for name, run in runs.items() if run is not None)
    by_name = {case.name: case for case in cases()}
    results.write(
        "task-scores",
        title="What a short pretraining brings on real tasks",
        text=f"{told} Each task with {flags.seeds} seeds from that model and from random weights "
        f"(`{' '.join(TUNING)}`, and the words in the file); median and range. Where the ranges "
        "overlap, pretraining is not shown to help. Figures of others are for models of 125 M "
        "parameters or more that have read ten thousand times as much, and stand here to show how "
        "far that is.",
        rows=[row(by_name[name], found) for name, found in scores.items()],
        samples={
            "scores": scores,
            "words": {name: list(by_name[name].words) for name in scores},
            "pretraining": {
                name: (run / "config.toml").read_text(encoding="utf-8")
                for name, run in runs.items()
                if run is not None
            },
            "processes": os.cpu_count(),
        },
        folder=flags.out,
        command="make bench-tasks DATA=FOLDER",
    )


def said_of(language: str, run: Path) -> str:
    """What was pretrained, in a sentence."""
    rows: list[dict[str, Any]] = list(Run(run).metrics())
    tokens = sum(one["tokens"] for one in rows if one["kind"] == "train")
    first, *_, last = (one for one in rows if one["kind"] == "valid")
    minutes = (last["time"] - first["time"]) / 60
    sizes = weights.read_config(run / "model")
    machine = files.read_json(run / "machine.json")
    return (
        f"{language.capitalize()}: {sizes.family}, L={sizes.layers} D={sizes.width} "
        f"V={sizes.vocabulary:,}, {last['step']:,} steps, {tokens / 1e6:.1f} M tokens in "
        f"{minutes:.0f} minutes on {machine['cpu']}; held-out loss {first['loss']:.2f} to "
        f"{last['loss']:.2f}, masked accuracy {last['accuracy']:.1%}."
    )


def row(case: Case, found: dict[str, list[float]]) -> dict[str, str]:
    """One line of the table."""
    pretrained, random = (found[start] for start in STARTS)
    gain = statistics.median(pretrained) - statistics.median(random)
    apart = max(random) < min(pretrained) or max(pretrained) < min(random)
    split = "dev" if case.test is None else "test"
    return {
        "task": f"{case.name}, {case.metric} on {split}",
        "from the run": spread(pretrained, ".1f"),
        "from random weights": spread(random, ".1f"),
        "gain": f"{gain:+.1f}{'' if apart else ', within the spread'}",
        "RoBERTa": case.paper or "-",
        "systems before": case.others or "-",
        "not comparable": case.differs,
    }


if __name__ == "__main__":
    main()
