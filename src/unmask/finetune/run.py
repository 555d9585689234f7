"""`unmask finetune`: a model folder and labelled data in, a fine-tuned model's folder out."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files, locks, manifests
from unmask.core.manifests import Input
from unmask.core.progress import say
from unmask.core.runs import Run
from unmask.finetune import families
from unmask.finetune.build import build_trainer, looks_at_dev, say_sizes
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.loop import Best, Loop, Stopped
from unmask.finetune.many import run_many, varied
from unmask.finetune.publish import STAGE, Publisher
from unmask.finetune.task import Task
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train import memory
from unmask.train.checkpoint import Checkpoints, read_state
from unmask.train.precision import resolve_device
from unmask.train.ranks import Ranks, joined
from unmask.train.tracking import Tracker

DETAILS = "dev.json"
"""In the run folder: what the report shows beyond the scores."""


def run(config: FinetuneConfig) -> None:
    """Train, keep what is best on dev, and write `model/`; or do so several times."""
    if varied(config):
        run_many(config, _inputs(config, config.out / "model"))
        return
    memory.keep_freed()
    with (
        joined(resolve_device(config.device), config.parallel.timeout_minutes) as ranks,
        locks.alone(config.out) if ranks.first else contextlib.nullcontext(),
        contextlib.suppress(Stopped),
    ):
        _run(config, ranks)


def _run(config: FinetuneConfig, ranks: Ranks) -> None:
    out = config.out / "model"
    inputs = _inputs(config, out)
    done = manifests.is_done(out, STAGE, configs.plain(config), inputs, force=config.force)
    if ranks.told(done):
        return
    tokenizer = Tokenizer.load(config.model)
    task = families.learnt(config, tokenizer)
    run_folder = Run(config.out)
    if ranks.first:
        run_folder = Run.open(config.out, config, force=config.force)
    ranks.wait()
    loop = _trained(config, task, tokenizer, ranks, run_folder, inputs)
    best = loop.back_to_best()
    logits = loop.trainer.dev_logits()
    publisher = Publisher(loop.trainer, tokenizer, inputs)
    publisher.write(best, loop, task.dev.judge.settled(logits))
    if ranks.first:
        files.write_json(config.out / DETAILS, task.dev.judge.details(logits))
        shutil.rmtree(run_folder.checkpoints, ignore_errors=True)
    _say(best, out)


def _inputs(config: FinetuneConfig, out: Path) -> list[Input]:
    inputs = [
        *manifests.folder_inputs("model", config.model, out),
        *manifests.file_inputs("labelled data", families.files(config)),
    ]
    if config.init_from is not None:
        inputs += manifests.folder_inputs("encoder", config.init_from, out)
    return inputs


def _trained(
    config: FinetuneConfig,
    task: Task,
    tokenizer: Tokenizer,
    ranks: Ranks,
    run_folder: Run,
    inputs: list[Input],
) -> Loop:
    """Train to the end; begin anew where a training is stuck."""
    checkpoints = Checkpoints(run_folder.checkpoints, keep=1, ranks=ranks)
    newest = checkpoints.newest()
    attempt = 0 if newest is None else int(read_state(newest)["attempt"])
    with _told(config, ranks, newest) as tracker:
        while True:
            trainer = build_trainer(config, task, tokenizer, ranks, attempt)
            loop = Loop(
                trainer=trainer,
                checkpoints=checkpoints,
                run=run_folder,
                tracker=tracker,
                plan=looks_at_dev(trainer),
                attempt=attempt,
                inputs=[f"{item.role} {item.sha256}" for item in inputs],
            )
            say_sizes(trainer)
            with contextlib.closing(loop):
                if newest is not None:
                    loop.resume(newest)
                    newest = None
                if loop.train():
                    return loop
            attempt += 1
            loop.forget(
                f"one answer to everything in {loop.looks} looks at dev: beginning anew with "
                f"another seed, attempt {attempt + 1} of {config.restarts + 1}"
            )


@contextlib.contextmanager
def _told(config: FinetuneConfig, ranks: Ranks, newest: Path | None) -> Iterator[Tracker | None]:
    """Who else is told of the run, from the newest checkpoint on; the first process tells."""
    if not ranks.first:
        yield None
        return
    tracker = Tracker(
        config.out,
        configs.plain(config),
        resumed=0 if newest is None else int(read_state(newest)["step"]),
        wandb=config.track.wandb,
    )
    with contextlib.closing(tracker):
        yield tracker


def _say(best: Best, out: Path) -> None:
    scores = ", ".join(f"{name} {_rounded(score)}" for name, score in best.scores.items())
    say(f"best at step {best.step:,}, on dev: {scores}; model: {out}")


def _rounded(score: Any) -> str:  # noqa: ANN401
    return f"{score:.3f}" if isinstance(score, float) else str(score)
