"""Build what trains: the model a task needs, its optimizer and its batches."""

import dataclasses
from pathlib import Path

from unmask.core.errors import UserError
from unmask.core.hashing import stream
from unmask.core.progress import say
from unmask.finetune.batches import Batches, steps_of
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.forward import FinetunedModel
from unmask.finetune.inputs import Maker
from unmask.finetune.layers import frozen, learning_shares
from unmask.finetune.looks import Looks
from unmask.finetune.objective import Objective
from unmask.finetune.task import Head, Task
from unmask.finetune.trainer import Trainer
from unmask.finetune.vocabulary import UsedRows
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, build
from unmask.model.init import initialise
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train import parallel
from unmask.train.clock import Clock
from unmask.train.config import GuardConfig
from unmask.train.guard import Guard
from unmask.train.optimizer import adamw
from unmask.train.precision import LossScale, resolve_precision
from unmask.train.ranks import Ranks
from unmask.train.update import Update

AT_ONCE = {"cpu": 2048, "cuda": 16_384}
"""Tokens of a micro-batch, by kind of device."""


def build_trainer(
    config: FinetuneConfig, task: Task, tokenizer: Tokenizer, ranks: Ranks, attempt: int = 0
) -> Trainer:
    """Build everything for one attempt; another attempt is another seed."""
    seed = config.seed if attempt == 0 else stream("attempt", config.seed, attempt) % 2**31
    precision = resolve_precision(config.precision, ranks.device)
    whole = start(config, task.head, seed)
    rows = UsedRows.of(task, whole)
    task, model = rows.task(task), rows.narrowed(whole, task.head).to(ranks.device)
    if config.frozen_layers is not None:
        frozen(model, config.frozen_layers)
    objective = Objective(model, task.loss, precision)
    shares = learning_shares(objective, config.layer_decay)
    blocks = list(model.encoder.blocks)
    maker = maker_for(model, tokenizer)
    total = config.steps or steps_of(len(task.train), epochs=config.epochs, batch=config.batch)
    return Trainer(
        config=config,
        task=task,
        model=model,
        update=Update(
            objective=parallel.shared(objective, blocks, ranks, config.parallel),
            optimizer=adamw(objective, config.optim, shares),
            optim=config.optim,
            parallel=config.parallel,
            ranks=ranks,
            guard=Guard(GuardConfig(spike=None), ranks.device),
            scale=LossScale.of(ranks.device) if precision == "fp16" else None,
            clock=Clock(ranks.device),
            seed=seed,
        ),
        batches=Batches.of(
            task.train,
            maker,
            seed,
            batch=config.batch,
            most_tokens=config.micro_tokens or AT_ONCE[ranks.device.type],
        ),
        maker=maker,
        precision=precision,
        total=total,
        rows=rows,
    )


def looks_at_dev(trainer: Trainer) -> Looks:
    """When dev is scored: every epoch, unless it is set otherwise."""
    config = trainer.config
    return Looks(config.evaluate_every, len(trainer.task.train), config.batch, trainer.total)


def maker_for(model: FinetunedModel, tokenizer: Tokenizer) -> Maker:
    """Make inputs as this model reads them."""
    return Maker(tokenizer.pad_id, typed=model.config.types > 1)


def start(config: FinetuneConfig, head: Head, seed: int) -> FinetunedModel:
    """The model before the first step."""
    source = config.model
    if config.init_from is not None:
        _refuse_unfit(config, config.init_from)
        source = config.init_from
    if config.weights == "random":
        model = build(head.kind, weights.read_config(source), head.labels, head.problem)
        initialise(model, seed)
    else:
        model = weights.load_encoder(source, head.kind, head.labels, seed, head.problem)
    if config.dropout is None:
        return model
    return _with_dropout(model, head, config.dropout)


def _with_dropout(model: FinetunedModel, head: Head, dropout: float) -> FinetunedModel:
    changed = dataclasses.replace(model.config, dropout=dropout, attention_dropout=dropout)
    same = build(head.kind, changed, head.labels, head.problem)
    same.load_state_dict(model.state_dict())
    return same


def _refuse_unfit(config: FinetuneConfig, other: Path) -> None:
    """A model to start from must be fine-tuned, and of the kind of --model."""
    if weights.head_of(other) is MaskedLM:
        raise UserError(
            f"--init-from {other}: is not fine-tuned", f"give --model {other}, or a fine-tuned one"
        )
    folders = config.model, other
    here, there = (_sizes(weights.read_config(folder)) for folder in folders)
    tokenizer, its_tokenizer = (Tokenizer.load(folder).fingerprint for folder in folders)
    if here != there or tokenizer != its_tokenizer:
        raise UserError(
            f"--init-from {other}: its sizes or its tokenizer are not those of --model "
            f"{config.model}",
            "give a model that was fine-tuned from it",
        )


def _sizes(config: ModelConfig) -> ModelConfig:
    return dataclasses.replace(config, dropout=0, attention_dropout=0, classifier_dropout=None)


def say_sizes(trainer: Trainer) -> None:
    """Tell what is about to happen."""
    task, ranks = trainer.task, trainer.ranks
    where = ranks.device.type if ranks.size == 1 else f"{ranks.size} x {ranks.device.type}"
    counts = f"{len(task.train):,} examples to train and {len(task.dev.examples):,} for dev"
    labels = f", {len(task.head.labels)} labels" if task.head.labels else ""
    say(f"{counts}{labels}; {trainer.total:,} steps, {trainer.precision} on {where}")
