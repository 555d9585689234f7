"""`unmask evaluate`: a fine-tuned model and labelled data in, scores out as JSON on stdout."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune import families
from unmask.finetune.known import Known
from unmask.finetune.task import Scores, Split
from unmask.infer.backend import Backend, Logits, open_backend, weights_sha256
from unmask.infer.batches import by_sequence, by_token
from unmask.infer.config import EvaluateConfig
from unmask.infer.folders import made
from unmask.infer.outputs import as_logits, read_outputs
from unmask.model.heads import Model, MultipleChoice, SpanExtractor, TokenClassifier
from unmask.tokenizer.tokenizer import Tokenizer

BY_TOKEN = (TokenClassifier, SpanExtractor)
"""Heads that answer for each token."""


def run(config: EvaluateConfig) -> None:
    """Answer everything and print the scores with the hashes of model and data."""
    if config.out is not None:
        made(config.out)
    known = Known.of(config.model)
    tokenizer = Tokenizer.load(config.model)
    splits = families.judged(config, known, tokenizer)
    scores: Scores = {}
    for split, logits in _answered(config, splits, known, tokenizer.pad_id):
        scores |= named(split, logits)
        if config.out is not None:
            folder = config.out / split.name if split.name else config.out
            folder.mkdir(parents=True, exist_ok=True)
            split.judge.write(logits, folder)
    sys.stdout.write(json.dumps(_report(config, splits) | scores) + "\n")


def _answered(
    config: EvaluateConfig, splits: list[Split], known: Known, pad_id: int
) -> Iterator[tuple[Split, Logits]]:
    """Each split with its logits, computed here or read."""
    if config.logits is not None:
        for split in splits:
            say(f"{len(split.examples):,} examples, outputs of {config.logits}")
            yield split, _read(config.logits / split.name, split, known)
        return
    backend = open_backend(config.model, config.engine, many=True)
    for split in splits:
        say(f"{len(split.examples):,} examples, {backend.name}")
        yield split, logits_of(split, backend, known.kind, pad_id)


def _read(folder: Path, split: Split, known: Known) -> Logits:
    """Outputs of another runner; UserError for another number of them than the head has."""
    lengths_N = split.examples.sequences.lengths_N
    logits = as_logits(read_outputs(folder), lengths_N, by_token=known.kind in BY_TOKEN)
    wanted = {SpanExtractor: 2, MultipleChoice: 1}.get(known.kind, len(known.labels))
    if logits.shape[-1] != wanted:
        raise UserError(
            f"{folder}: outputs of {logits.shape[-1]} numbers each, and {known.folder} gives "
            f"{wanted}",
            "give the outputs of this model",
        )
    return logits


def logits_of(split: Split, backend: Backend, kind: type[Model], pad_id: int) -> Logits:
    """A backend's logits of all examples: by token where the head looks at tokens."""
    answered = by_token if kind in BY_TOKEN else by_sequence
    return answered(backend, split.examples.sequences, pad_id)


def named(split: Split, logits: Logits) -> Scores:
    """A split's scores, under its name where a task has several."""
    suffix = f"_{split.name}" if split.name else ""
    return {f"{name}{suffix}": score for name, score in split.judge.scores(logits).items()}


def _report(config: EvaluateConfig, splits: list[Split]) -> dict[str, Any]:
    data = {"data": str(config.data)}
    if config.data.is_file():
        data["data_sha256"] = files.sha256(config.data)
    return {
        "model": str(config.model),
        "model_sha256": weights_sha256(config.model),
        **data,
        "examples": sum(len(split.examples) for split in splits),
    }
