"""`unmask counts`: a corpus in, its counted words out; or the counts of shards added up."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import engine, manifests
from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError
from unmask.core.manifests import Input
from unmask.core.progress import say
from unmask.corpus import store
from unmask.tokenizer import counts, pretokens
from unmask.tokenizer.counts import STAGE
from unmask.tokenizer.counts_config import CountsConfig

FAN_IN = 64
"""Runs that are merged, and so files that are open, at a time."""


@dataclasses.dataclass(frozen=True, slots=True)
class CountTask:
    """Count one part of a corpus, and write its words as a run."""

    part: Path
    run: Path


@dataclasses.dataclass(frozen=True, slots=True)
class MergeTask:
    """Add some runs up, and write one."""

    runs: tuple[Path, ...]
    run: Path


def run(config: CountsConfig) -> None:
    """Count or add up, and write the artifact."""
    inputs = _inputs(config)
    settings = configs.plain(config)
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    identity = manifests.identity(STAGE, settings, inputs)
    with manifests.building(config.out, resume=identity) as folder:
        work = folder / manifests.WORK
        if config.corpus is not None:
            facts = count(config.corpus, folder, work, config)
        else:
            facts = add(config.merge, folder, work, config)
        manifests.write(folder, STAGE, settings, inputs, facts)
    say(f"{config.out}: {facts['distinct_words']:,} distinct words, {facts['words']:,} in total")


def count(corpus: Path, folder: Path, work: Path, config: EngineConfig) -> dict[str, Any]:
    """Count the train split of a corpus into `folder`; return the facts.

    A part holds a bounded number of characters, so its words fit into memory: each part becomes
    one run. UserError if there is no text.
    """
    parts = store.parts(corpus, "train")
    tasks = {path.stem: CountTask(path, work / f"{path.stem}.parquet") for path in parts}
    results = engine.each(
        count_part,
        tasks,
        config,
        done=work / "done",
        title="count words",
        weights={path.stem: path.stat().st_size for path in parts},
    )
    total = sum(result["words"] for result in results.values())
    if not total:
        raise UserError(f"{corpus}: its train split holds no text", "give unmask corpus more text")
    return _add_up([task.run for task in tasks.values()], total, folder, work, config)


def add(
    artifacts: Sequence[Path], folder: Path, work: Path, config: EngineConfig
) -> dict[str, Any]:
    """Add up counts of different text into `folder`; return the facts."""
    total = sum(counts.find(artifact).facts["words"] for artifact in artifacts)
    runs = [artifact / counts.NAME for artifact in artifacts]
    return _add_up(runs, total, folder, work, config)


def count_part(task: CountTask) -> dict[str, Any]:
    """Count one part; the lines are those that `unmask tokens` encodes: stripped, not empty."""
    return counts.write(task.run, [pretokens.count(_lines(task.part))])


def merge_runs(task: MergeTask) -> dict[str, Any]:
    """Add runs up."""
    return counts.write(task.run, counts.merge(task.runs))


def _lines(part: Path) -> Iterator[str]:
    for document in store.read_part(part):
        for line in document.text.split("\n"):
            if stripped := line.strip():
                yield stripped


def _add_up(
    runs: Sequence[Path], total: int, folder: Path, work: Path, config: EngineConfig
) -> dict[str, Any]:
    """Merge runs of `total` words into `folder`; return the facts."""
    if total >= counts.LARGEST_TOTAL:
        raise UserError(
            f"{total:,} words are too many: 64-bit counts hold less than 2**63",
            "leave some out; the merges would be the same",
        )
    facts = _merge(runs, folder / counts.NAME, work, config)
    if facts["words"] != total:
        raise UserError(
            f"the counts add up to {facts['words']:,} words, their manifests say {total:,}",
            "run unmask counts again with --force for each of them",
        )
    return {**facts, "runs": len(runs), "pretokens": counts.PRETOKENS}


def _merge(
    runs: Sequence[Path], out: Path, work: Path, config: EngineConfig, number: int = 0
) -> dict[str, int]:
    """Merge runs in rounds, the first of which has this number, until there is one."""
    groups = [tuple(runs[at : at + FAN_IN]) for at in range(0, len(runs), FAN_IN)]
    names = [f"merge-{number}-{group:05d}" for group in range(len(groups))]
    merged = [work / f"{name}.parquet" for name in names] if len(groups) > 1 else [out]
    results = engine.each(
        merge_runs,
        dict(zip(names, map(MergeTask, groups, merged), strict=True)),
        config,
        done=work / "done",
        title="merge counts",
    )
    return results[names[0]] if len(groups) == 1 else _merge(merged, out, work, config, number + 1)


def _inputs(config: CountsConfig) -> list[Input]:
    if config.corpus is not None:
        return [manifests.artifact_input("corpus", config.corpus, config.out)]
    inputs = [manifests.artifact_input("counts", folder, config.out) for folder in config.merge]
    seen: dict[str, Path] = {}
    for folder, item in zip(config.merge, inputs, strict=True):
        if item.sha256 in seen:
            raise UserError(
                f"{seen[item.sha256]} and {folder} hold the same counts",
                "give each shard of the text once, or it counts twice",
            )
        seen[item.sha256] = folder
    return inputs
