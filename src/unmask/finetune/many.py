"""Several trainings of one command: seeds, folds, a grid; side by side, each a process of its own.

OUT/runs/NAME/        the run folder of one, NAME.log beside it
    many.json         what each scored, and the summary
    model/            of the grid's best setting, and there the run of the median
"""

import dataclasses
import itertools
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files, locks, manifests
from unmask.core.children import Child
from unmask.core.errors import UserError
from unmask.core.progress import Bar, bar, say
from unmask.core.runs import Run
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.metrics.spread import Spread, spread

STAGE = "finetune"
PAPER_LRS, PAPER_BATCHES = (1e-5, 2e-5, 3e-5), (16, 32)
"""RoBERTa, table 10."""
ALONE: dict[str, Any] = {
    "seeds": 1,
    "sweep": False,
    "sweep_lr": (),
    "sweep_batch": (),
    "at_once": 1,
    "force": False,
}
"""What makes a training one of its own."""
WAIT_S = 0.1
"""Between two looks at the processes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Variant:
    """One training of many."""

    setting: str
    """What it shares with those that differ in seed or fold alone."""
    name: str
    config: FinetuneConfig


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What one training scored on dev."""

    variant: Variant
    facts: dict[str, Any]

    def score(self, metric: str) -> float:
        """One of its scores."""
        return float(self.facts[f"dev_{metric}"])


def varied(config: FinetuneConfig) -> bool:
    """Whether the command stands for several trainings."""
    several = config.seeds > 1 or (config.folds > 1 and config.fold is None)
    return several or config.sweep or bool(config.sweep_lr or config.sweep_batch)


def run_many(config: FinetuneConfig, inputs: list[manifests.Input]) -> None:
    """Run all trainings, those that are done already left out; write the summary and the model."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError(
            "several trainings under torchrun: each is a process of its own",
            "start the command without torchrun, with --at-once as many as there are cards",
        )
    out = config.out / "model"
    if manifests.is_done(out, STAGE, configs.plain(config), inputs, force=config.force):
        return
    variants = list(_variants(config))
    _refuse_twins(variants)
    with locks.alone(config.out):
        Run.open(config.out, config, force=config.force)
        _run_all(variants, config)
        results = [Result(one, manifests.read(one.config.out / "model").facts) for one in variants]
        metric = str(results[0].facts["metric"])
        summary = _summary(results)
        best = _best(results, metric)
        files.write_json(config.out / "many.json", _table(results, summary, best))
        _publish(best, config, inputs, summary[best.variant.setting])
    _say(summary, best, metric, out)


def _variants(config: FinetuneConfig) -> Iterator[Variant]:
    for setting, one in _settings(config):
        for number in range(max(config.seeds, config.folds)):
            fold = number if config.folds > 1 else None
            seed = config.seed + (number if fold is None else 0)
            last = f"seed-{seed}" if fold is None else f"fold-{fold}"
            name = f"{setting}-{last}" if setting else last
            out = config.out / "runs" / name
            yield Variant(
                setting, name, dataclasses.replace(one, seed=seed, fold=fold, out=out, **ALONE)
            )


def _settings(config: FinetuneConfig) -> Iterator[tuple[str, FinetuneConfig]]:
    """Every setting of the grid, by name; the only one has none."""
    rates = config.sweep_lr or (PAPER_LRS if config.sweep else (None,))
    batches = config.sweep_batch or (PAPER_BATCHES if config.sweep else (None,))
    for lr, batch in itertools.product(rates, batches):
        words, setting = [], config
        if lr is not None:
            words.append(f"lr-{lr:g}")
            optim = dataclasses.replace(config.optim, peak_lr=lr)
            setting = dataclasses.replace(setting, optim=optim)
        if batch is not None:
            words.append(f"batch-{batch}")
            setting = dataclasses.replace(setting, batch=batch)
        yield "-".join(words), setting


def _refuse_twins(variants: list[Variant]) -> None:
    """Two of one name would write to one folder."""
    names = [variant.name for variant in variants]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{name} is asked for twice", "give each value once")


def _run_all(variants: list[Variant], config: FinetuneConfig) -> None:
    waiting, going = list(reversed(variants)), dict[int, tuple[Variant, Child]]()
    failed: list[Child] = []
    threads = max(1, (os.cpu_count() or 1) // config.at_once)
    try:
        with bar("trainings", len(variants)) as progress:
            while waiting or going:
                for slot in range(config.at_once):
                    if slot not in going and waiting:
                        variant = waiting.pop()
                        going[slot] = variant, _begun(variant, slot, threads)
                time.sleep(WAIT_S)
                failed += _collect(going, progress)
    finally:
        for _, child in going.values():
            child.end()
    if failed:
        raise UserError(
            f"{len(failed)} of {len(variants)} trainings failed, the first with: "
            f"{failed[0].complaint()}",
            f"see {failed[0].log}; the same command goes on with what is missing",
        )


def _begun(variant: Variant, slot: int, threads: int) -> Child:
    """Start one; where there are several cards, each slot has one of its own."""
    folder = variant.config.out
    recipe = folder.with_name(f"{folder.name}.toml")
    recipe.parent.mkdir(parents=True, exist_ok=True)
    configs.save(variant.config, recipe)
    return Child.begun(
        ["finetune", f"--recipe={recipe}"],
        folder.with_name(f"{folder.name}.log"),
        threads,
        _card(slot),
    )


def _card(slot: int) -> dict[str, str]:
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return {"CUDA_VISIBLE_DEVICES": str(slot % cards)} if cards > 1 else {}


def _collect(going: dict[int, tuple[Variant, Child]], progress: Bar) -> list[Child]:
    """Take those out that have ended; return those that failed."""
    failed = []
    for slot, (variant, child) in list(going.items()):
        if child.going:
            continue
        del going[slot]
        if child.process.returncode:
            failed.append(child)
            progress.advance(1, f"{variant.name} failed")
        else:
            progress.advance(1, f"{variant.name}: {child.last_word()}"[:100])
    return failed


def _summary(results: list[Result]) -> dict[str, dict[str, Spread]]:
    """The spread of every score, by setting."""
    names = [name.removeprefix("dev_") for name in results[0].facts if name.startswith("dev_")]
    by_setting: dict[str, list[Result]] = {}
    for result in results:
        by_setting.setdefault(result.variant.setting, []).append(result)
    return {
        setting: {name: spread([one.score(name) for one in some]) for name in names}
        for setting, some in by_setting.items()
    }


def _best(results: list[Result], metric: str) -> Result:
    """The median run of the setting whose median is best on dev."""
    summary = _summary(results)
    setting = max(summary, key=lambda name: summary[name][metric].median)
    some = [result for result in results if result.variant.setting == setting]
    some.sort(key=lambda result: result.score(metric))
    return some[(len(some) - 1) // 2]


def _table(
    results: list[Result], summary: dict[str, dict[str, Spread]], best: Result
) -> dict[str, Any]:
    return {
        "model": best.variant.name,
        "summary": {
            setting: {name: dataclasses.asdict(one) for name, one in scores.items()}
            for setting, scores in summary.items()
        },
        "runs": [
            {
                "name": one.variant.name,
                "setting": one.variant.setting,
                "seed": one.variant.config.seed,
            }
            | one.facts
            for one in results
        ],
    }


def _publish(
    best: Result,
    config: FinetuneConfig,
    inputs: list[manifests.Input],
    summary: dict[str, Spread],
) -> None:
    """Copy the model, with what all runs of its setting scored."""
    source, out = best.variant.config.out, config.out / "model"
    spreads = {name: dataclasses.asdict(one) for name, one in summary.items()}
    with manifests.building(out) as folder:
        shutil.copytree(
            source / "model",
            folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(manifests.NAME),
        )
        facts = best.facts | {"run": best.variant.name, "spread": spreads}
        manifests.write(folder, STAGE, configs.plain(config), inputs, facts)
    shutil.copy(source / "dev.json", config.out / "dev.json")


def _say(summary: dict[str, dict[str, Spread]], best: Result, metric: str, out: Path) -> None:
    for setting, scores in summary.items():
        one = scores[metric]
        sure = (
            "" if one.low is None else f", 95 % interval of the mean {one.low:.4f}-{one.high:.4f}"
        )
        say(
            f"{setting or 'all runs'}: dev {metric} median {one.median:.4f} "
            f"({one.minimum:.4f}-{one.maximum:.4f} over {one.runs} runs{sure})"
        )
    say(f"{best.variant.name}, the run of the median, is the model: {out}")
