"""`unmask evaluate`: a classifier and labelled text in, scores out as JSON on stdout."""

import json
import sys

from unmask.core import files
from unmask.core.progress import say
from unmask.finetune import metrics, table
from unmask.finetune.config import EvaluateConfig
from unmask.finetune.examples import Examples, logits
from unmask.model import weights
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train.precision import resolve_device, resolve_precision


def run(config: EvaluateConfig) -> None:
    """Classify every row and print the scores with the hashes of model and data."""
    device = resolve_device(config.device)
    precision = resolve_precision(config.precision, device)
    model = weights.load(config.model, SequenceClassifier).to(device)
    tokenizer = Tokenizer.load(config.model)
    rows = table.read(config.data, config.columns)
    say(f"{len(rows):,} examples, {precision} on {device.type}")
    max_length = min(config.max_length, model.config.max_length)
    examples = Examples.encode(rows, model.labels, tokenizer, max_length)
    rows_NC = logits(model, examples.encodings, tokenizer.pad_id, precision)
    predicted = rows_NC.argmax(axis=1).tolist()
    scores = metrics.classification(examples.label_N.tolist(), predicted)
    report = {
        "model": str(config.model),
        "model_sha256": files.sha256(config.model / "model.safetensors"),
        "data": str(config.data),
        "data_sha256": files.sha256(config.data),
        "examples": len(rows),
        **scores,
    }
    sys.stdout.write(json.dumps(report) + "\n")
