"""`unmask evaluate`: a fine-tuned model and labelled data in, scores out as JSON on stdout."""

import json
import sys
from typing import Any

from unmask.core import files
from unmask.core.progress import say
from unmask.finetune import families
from unmask.finetune.build import maker_for
from unmask.finetune.config import EvaluateConfig
from unmask.finetune.forward import all_logits
from unmask.finetune.known import Known
from unmask.finetune.task import Split
from unmask.model import weights
from unmask.model.heads import MultipleChoice, SequenceClassifier, SpanExtractor, TokenClassifier
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train.precision import resolve_device, resolve_precision
from unmask.train.ranks import Ranks

FINETUNED = (SequenceClassifier, MultipleChoice, TokenClassifier, SpanExtractor)


def run(config: EvaluateConfig) -> None:
    """Answer everything and print the scores with the hashes of model and data."""
    known = Known.of(config.model)
    tokenizer = Tokenizer.load(config.model)
    splits = families.judged(config, known, tokenizer)
    device = resolve_device(config.device)
    precision = resolve_precision(config.precision, device)
    assert known.kind in FINETUNED, "the family has refused other heads"
    model: Any = weights.load(config.model, known.kind).to(device)
    scores: dict[str, float] = {}
    for split in splits:
        say(f"{len(split.examples):,} examples, {precision} on {device.type}")
        maker = maker_for(model, tokenizer)
        logits = all_logits(model, split.examples.sequences, maker, precision, Ranks(device))
        suffix = f"_{split.name}" if split.name else ""
        found = split.judge.scores(logits)
        scores |= {f"{name}{suffix}": score for name, score in found.items()}
        if config.out is not None:
            folder = config.out / split.name if split.name else config.out
            folder.mkdir(parents=True, exist_ok=True)
            split.judge.write(logits, folder)
    sys.stdout.write(json.dumps(_report(config, splits) | scores) + "\n")


def _report(config: EvaluateConfig, splits: list[Split]) -> dict[str, Any]:
    data = {"data": str(config.data)}
    if config.data.is_file():
        data["data_sha256"] = files.sha256(config.data)
    return {
        "model": str(config.model),
        "model_sha256": files.sha256(config.model / weights.WEIGHTS),
        **data,
        "examples": sum(len(split.examples) for split in splits),
    }
