"""From a config to everything a pretraining run needs."""

import dataclasses
from pathlib import Path

import torch

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.pretrain.batches import Batches
from unmask.pretrain.config import PretrainConfig, ShapeConfig
from unmask.pretrain.masking import Masker
from unmask.pretrain.trainer import Trainer
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.plans.full_sentences import FullSentences, SpecialIds
from unmask.tokens.read import Shard, TokenFolder
from unmask.train.config import Precision
from unmask.train.optimizer import adamw
from unmask.train.precision import resolve_device, resolve_precision


def open_data(config: PretrainConfig) -> tuple[TokenFolder, Tokenizer, Path]:
    """Open the shards and the tokenizer they were made with."""
    tokens = TokenFolder.open(config.tokens)
    path = config.tokenizer or manifests.linked(config.tokens, "tokenizer")
    tokenizer = Tokenizer.load(path)
    tokens.require_tokenizer(tokenizer.fingerprint, of=path)
    return tokens, tokenizer, path


def build_trainer(config: PretrainConfig, tokens: TokenFolder, tokenizer: Tokenizer) -> Trainer:
    """Build model, optimizer and batches."""
    device = resolve_device(config.device)
    precision = resolve_precision(config.precision, device)
    model = _model(config, tokens, tokenizer).to(device)
    _say_size(model, device, precision)
    return Trainer(
        config=config,
        model=model,
        optimizer=adamw(model, config.optim),
        train=_batches(config, tokens, tokenizer, "train", device),
        valid=(
            _batches(config, tokens, tokenizer, "valid", device)
            if tokens.manifest.facts["valid_tokens"]
            else None
        ),
        precision=precision,
        device=device,
    )


def _model(config: PretrainConfig, tokens: TokenFolder, tokenizer: Tokenizer) -> MaskedLM:
    if config.init is None:
        model = MaskedLM(model_config(config, tokenizer))
        initialise(model, config.seed)
        return model
    if config.model != ShapeConfig():
        raise UserError(
            f"--init {config.init} brings its own size, and --model flags give another",
            "leave out one of the two",
        )
    tokens.require_tokenizer(Tokenizer.load(config.init).fingerprint, of=config.init)
    model = weights.load_encoder(config.init, MaskedLM, seed=config.seed)
    if config.family not in (None, model.config.family):
        raise UserError(
            f"--family {config.family}: {config.init} is a {model.config.family} model",
            "leave out --family",
        )
    if config.length > model.config.max_length:
        raise UserError(
            f"--length {config.length}: {config.init} reads at most {model.config.max_length}",
            "give a smaller --length",
        )
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


def _batches(
    config: PretrainConfig,
    tokens: TokenFolder,
    tokenizer: Tokenizer,
    split: str,
    device: torch.device,
) -> Batches:
    special = SpecialIds(bos=tokenizer.bos_id, eos=tokenizer.eos_id, pad=tokenizer.pad_id)
    plan = _plan(config, tokens.shards(split), special)
    report = plan.report()
    say(
        f"{split}: {report['blocks']:,} blocks of {config.length}, {report['tokens']:,} tokens, "
        f"{report['padding_share']:.1%} padding, {report['sentences_cut']:,} sentences cut"
    )
    masker = Masker.of(
        config.masking,
        config.seed,
        vocabulary=tokenizer.vocabulary,
        special_ids=tokenizer.special_ids,
        mask_id=tokenizer.mask_id,
    )
    return Batches(plan, masker, config.seed, device)


def _plan(config: PretrainConfig, shards: list[Shard], special: SpecialIds) -> FullSentences:
    match config.input_format:
        case "full-sentences":
            return FullSentences(shards, config.length, special)


def _say_size(model: MaskedLM, device: torch.device, precision: Precision) -> None:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    say(f"model: {parameters:,} parameters, {precision} on {device.type}")
