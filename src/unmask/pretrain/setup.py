"""From a config to everything a pretraining run needs."""

import dataclasses
from pathlib import Path

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, Pretraining
from unmask.model.init import initialise
from unmask.pretrain.batches import Batches
from unmask.pretrain.config import STEPS, PretrainConfig, ShapeConfig
from unmask.pretrain.extend import extended
from unmask.pretrain.masking.masker import Masker
from unmask.pretrain.meter import Meter
from unmask.pretrain.objective import Objective, PretrainModel
from unmask.pretrain.trainer import Trainer
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.plan_names import PlanName
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.plans.plan import Plan, said
from unmask.tokens.read import TokenFolder
from unmask.train import parallel
from unmask.train.clock import Clock
from unmask.train.compiling import compiled
from unmask.train.config import Precision
from unmask.train.deadline import Deadline
from unmask.train.guard import Guard
from unmask.train.optimizer import adamw
from unmask.train.precision import LossScale, resolve_precision
from unmask.train.ranks import Ranks

PAIRS: tuple[PlanName, ...] = ("segment-pair", "sentence-pair")
"""Plans that train next-sentence prediction."""


def open_data(config: PretrainConfig) -> tuple[TokenFolder, Tokenizer, Path]:
    """Open the shards and the tokenizer they were made with."""
    tokens = TokenFolder.open(config.tokens)
    path = config.tokenizer or manifests.linked(config.tokens, "tokenizer")
    tokenizer = Tokenizer.load(path)
    tokens.require_tokenizer(tokenizer.fingerprint, of=path)
    return tokens, tokenizer, path


def resolved(config: PretrainConfig, tokens: TokenFolder) -> PretrainConfig:
    """Take plan and length from the tokens folder where the config leaves them out.

    UserError where the model could not read blocks of this length.
    """
    facts = tokens.manifest.facts
    plan, length = config.plan or facts["plan"], config.length or facts["length"]
    if config.init is not None:
        most, model = weights.read_config(config.init).max_length, str(config.init)
    else:
        most, model = config.model.max_length, "--model.max-length"
    if length > most:
        whose = f"--length {length}" if config.length else f"{config.tokens}: length {length}"
        raise UserError(f"{whose}: {model} reads at most {most}", f"give --length {most}, or less")
    steps = config.steps or (STEPS if config.budget_hours is None else None)
    return dataclasses.replace(config, plan=plan, length=length, steps=steps)


def build_trainer(
    config: PretrainConfig, tokens: TokenFolder, tokenizer: Tokenizer, ranks: Ranks
) -> Trainer:
    """Build model, optimizer and batches of a resolved config."""
    precision = resolve_precision(config.precision, ranks.device)
    _refuse_odd_batches(config, ranks)
    train, valid = _plans(config, tokens, tokenizer)
    model = _model(config, tokens, tokenizer).to(ranks.device)
    # The masker learns from the training text alone, and masks both splits by it.
    masker = Masker.of(config.masking, config.seed, tokenizer, tokens.shards("train"))
    objective = Objective(model, precision)
    objective.encoder.recompute = config.recompute
    blocks = list(objective.encoder.blocks)
    assert config.length is not None
    shape = config.micro_batch, config.length, model.config.width
    if compiled(blocks, config.compile, ranks.device, precision, shape):
        say("blocks are compiled: the first step takes a minute")
    # RoBERTa has one row of types: its segments are told apart by separators alone.
    typed = model.config.family == "bert" and model.config.types > 1
    trainer = Trainer(
        config=config,
        model=model,
        objective=parallel.shared(objective, blocks, ranks, config.parallel),
        optimizer=adamw(model, config.optim),
        train=Batches.of(
            train,
            masker,
            config.seed,
            batch=config.batch,
            micro_batch=config.micro_batch,
            typed=typed,
        ),
        valid=None if valid is None else _held_out(valid, masker, config, typed=typed),
        ranks=ranks,
        guard=Guard(config.guard, ranks.device),
        scale=LossScale.of(ranks.device) if precision == "fp16" else None,
        deadline=None if config.budget_hours is None else Deadline(config.budget_hours),
        clock=Clock(ranks.device),
        meter=Meter(),
    )
    _say_sizes(trainer, precision)
    return trainer


def _refuse_odd_batches(config: PretrainConfig, ranks: Ranks) -> None:
    """A batch that grows has odd numbers of blocks, and one block cannot be halved."""
    if ranks.size > 1 and config.micro_batch == 1 and config.batch_start is not None:
        raise UserError(
            f"--micro-batch 1 with --batch-start {config.batch_start}: a growing batch cannot be "
            f"shared by {ranks.size} processes block by block",
            "give --micro-batch 2 or more, or leave out --batch-start and --batch-warmup-steps",
        )


def _model(config: PretrainConfig, tokens: TokenFolder, tokenizer: Tokenizer) -> PretrainModel:
    if config.init is not None:
        return _continued(config, config.init, tokenizer)
    sizes = model_config(config, tokenizer)
    model = Pretraining(sizes) if config.plan in PAIRS else MaskedLM(sizes)
    initialise(model, config.seed)
    return model


def _continued(config: PretrainConfig, init: Path, tokenizer: Tokenizer) -> PretrainModel:
    if config.model != ShapeConfig():
        raise UserError(
            f"--init {init} brings its own size, and --model flags give another",
            "leave out one of the two",
        )
    family = weights.read_config(init).family
    if config.family not in (None, family):
        raise UserError(
            f"--family {config.family}: {init} is a {family} model", "leave out --family"
        )
    model, old = _loaded(config, init), Tokenizer.load(init)
    try:
        model = extended(model, old, tokenizer)
    except UserError as error:
        raise UserError(f"--init {init}: {error.what}", error.hint) from None
    if new := tokenizer.vocabulary - old.vocabulary:
        say(f"{new:,} tokens are new to {init}: each starts as the mean of the pieces it was")
    return model


def _loaded(config: PretrainConfig, init: Path) -> PretrainModel:
    if config.plan not in PAIRS:
        return weights.load_encoder(init, MaskedLM, seed=config.seed)
    model, has_head = weights.load_pretraining(init, seed=config.seed)
    if not has_head:
        say(f"{init}: holds no next-sentence head, so that one starts from random weights")
    return model


def model_config(config: PretrainConfig, tokenizer: Tokenizer) -> ModelConfig:
    """The architecture: sizes from the config, vocabulary and special ids from the tokenizer."""
    family = config.family or tokenizer.family
    roberta = family == "roberta"
    return ModelConfig(
        **dataclasses.asdict(config.model),
        family=family,
        vocabulary=tokenizer.vocabulary,
        types=1 if roberta else 2,
        norm_eps=1e-5 if roberta else 1e-12,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )


def _plans(
    config: PretrainConfig, tokens: TokenFolder, tokenizer: Tokenizer
) -> tuple[Plan, Plan | None]:
    """Plan both splits and say what becomes of their text; None if no block is held out."""
    train, valid = (_plan(config, tokens, tokenizer, split) for split in ("train", "valid"))
    if not train.count:
        raise UserError(
            f"{config.tokens}: its train split is too small for one block of {config.plan}, "
            f"length {config.length}",
            "give a smaller --length, another --plan, or more text",
        )
    if train.balanced and config.batch_start is not None:
        raise UserError(
            f"--batch-start {config.batch_start}: the steps of plan {config.plan} are balanced for "
            "one batch, which cannot grow",
            "leave out --batch-start and --batch-warmup-steps, or take another --plan",
        )
    if not valid.count and tokens.manifest.facts["valid_tokens"]:
        say(
            f"valid: too small for one block of {config.plan}, length {config.length}; "
            "nothing is measured"
        )
    return train, valid if valid.count else None


def _plan(config: PretrainConfig, tokens: TokenFolder, tokenizer: Tokenizer, split: str) -> Plan:
    assert config.plan is not None
    assert config.length is not None
    plan = choose(config.plan, tokens.shards(split), config.length, SpecialIds.of(tokenizer))
    if plan.count:
        say(f"{split}: {said(config.plan, config.length, plan.report())}")
    return plan


def _held_out(plan: Plan, masker: Masker, config: PretrainConfig, *, typed: bool) -> Batches:
    # Two at once can be shared by any number of processes; nothing is kept for a way back.
    micro_batch = max(2, config.micro_batch)
    blocks, seed = config.valid_blocks, config.seed
    return Batches.of(plan, masker, seed, batch=blocks, micro_batch=micro_batch, typed=typed)


def _say_sizes(trainer: Trainer, precision: Precision) -> None:
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    ranks = trainer.ranks
    where = ranks.device.type if ranks.size == 1 else f"{ranks.size} x {ranks.device.type}"
    say(f"model: {parameters:,} parameters, {precision} on {where}")
    if trainer.train.plan.balanced:
        blocks, full = trainer.train.blocks, trainer.config.batch
        say(f"step: {blocks:,} blocks, which hold the tokens of {full:,} full ones")
