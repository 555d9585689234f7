"""`unmask pretrain`: token shards in, a model folder out; the same command resumes."""

import contextlib

from unmask.core import config as configs
from unmask.core import locks, manifests
from unmask.core.progress import say
from unmask.core.runs import Run
from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.loop import Loop
from unmask.pretrain.publish import STAGE, Publisher
from unmask.pretrain.scoring.scores import Scores
from unmask.pretrain.scoring.tasks import refuse_unready
from unmask.pretrain.setup import build_trainer, open_data, resolved
from unmask.pretrain.speed import Speed
from unmask.pretrain.trainer import Trainer
from unmask.pretrain.verify import verify
from unmask.train import memory
from unmask.train.checkpoint import Checkpoints
from unmask.train.precision import resolve_device, resolve_precision
from unmask.train.ranks import Ranks, joined
from unmask.train.tracking import Tracker


def run(config: PretrainConfig) -> None:
    """Train to the last step, going on from the newest whole checkpoint; write `model/`."""
    memory.keep_freed()
    with joined(resolve_device(config.device), config.parallel.timeout_minutes) as ranks:
        _run(config, ranks)


def _run(config: PretrainConfig, ranks: Ranks) -> None:
    tokens, tokenizer, tokenizer_path = open_data(config)
    config = resolved(config, tokens)
    out = config.out / "model"
    inputs = [
        manifests.artifact_input("tokens", config.tokens, out),
        manifests.artifact_input("tokenizer", tokenizer_path, out),
    ]
    if config.init is not None:
        inputs += manifests.folder_inputs("model", config.init, out)
    if config.verify_resume:
        verify(lambda: build_trainer(config, tokens, tokenizer, ranks), config.out, ranks)
        return
    done = manifests.is_done(out, STAGE, configs.plain(config), inputs, force=config.force)
    if ranks.told(done):
        return
    refuse_unready(config.scores)
    if ranks.first:
        locks.hold(config.out)
    trainer = build_trainer(config, tokens, tokenizer, ranks)
    publisher = Publisher(trainer, tokenizer, inputs)
    loop = _loop(config, trainer, publisher)
    with contextlib.closing(loop):
        finished = loop.train()
    if finished:
        publisher.finished(loop.scores)
        say(f"model: {out}")


def _loop(config: PretrainConfig, trainer: Trainer, publisher: Publisher) -> Loop:
    """Open the run folder and stand where the run was left."""
    ranks = trainer.ranks
    run = Run(config.out)
    if ranks.first:
        run = Run.open(config.out, config, force=config.force)
    ranks.wait()
    loop = Loop(
        trainer=trainer,
        checkpoints=Checkpoints(run.checkpoints, keep=config.keep_checkpoints, ranks=ranks),
        run=run,
        tracker=None,
        inputs=[f"{item.role} {item.sha256}" for item in publisher.inputs],
        speed=Speed.of(
            config, trainer.model.config, resolve_precision(config.precision, ranks.device), ranks
        ),
        scored=Scores(config.scores, config.out / "scores", ranks, publisher.as_it_is),
    )
    loop.resume()
    if ranks.first:
        loop.tracker = Tracker(
            config.out,
            configs.plain(config),
            resumed=trainer.steps_done or None,
            wandb=config.track.wandb,
        )
    return loop
