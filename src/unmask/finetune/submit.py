"""`unmask submit`: a model's predictions on a test set of GLUE, in the form its server takes."""

import dataclasses
from pathlib import Path

import numpy as np

from unmask.core.progress import say
from unmask.finetune.build import maker_for
from unmask.finetune.config import SubmitConfig
from unmask.finetune.forward import Logits, all_logits
from unmask.finetune.glue import files, reading, submission
from unmask.finetune.glue.heads import output_of_label, scale_of_number
from unmask.finetune.glue.tasks import Task, task
from unmask.finetune.known import Known
from unmask.finetune.sentences.texts import encoded
from unmask.model import weights
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train.config import Precision
from unmask.train.precision import resolve_device, resolve_precision
from unmask.train.ranks import Ranks


@dataclasses.dataclass(frozen=True, slots=True)
class _Predictor:
    """A model that answers the rows of a test file."""

    model: SequenceClassifier
    tokenizer: Tokenizer
    precision: Precision
    ranks: Ranks
    max_length: int

    def __call__(self, path: Path, one: Task) -> tuple[list[str], Logits]:
        indices, rows = reading.read_test(path, one)
        sequences = encoded(rows, self.tokenizer, self.max_length)
        maker = maker_for(self.model, self.tokenizer)
        return indices, all_logits(self.model, sequences, maker, self.precision, self.ranks)


def run(config: SubmitConfig) -> None:
    """Predict the task's test rows, write its file, and pack all files that are there."""
    one, known = task(config.task), Known.of(config.model)
    known.require(SequenceClassifier, one.name)
    outputs = output_of_label(known.labels, one, config.order)
    device = resolve_device(config.device)
    model = weights.load(config.model, SequenceClassifier).to(device)
    predictor = _Predictor(
        model,
        Tokenizer.load(config.model),
        resolve_precision(config.precision, device),
        Ranks(device),
        min(known.facts.get("max_length", model.config.max_length), model.config.max_length),
    )
    config.out.mkdir(parents=True, exist_ok=True)
    names = submission.file_names(one)
    for split, path in files.find(config.data, one, "test").items():
        indices, logits = predictor(path, one)
        out = config.out / names[split]
        if one.labels:
            classes = np.argmax(logits[:, list(outputs)], axis=1).tolist()
            submission.write_classes(out, one, indices, classes)
        else:
            factor = scale_of_number(one, config.order)
            submission.write_numbers(out, one, indices, (logits[:, 0] * factor).tolist())
        say(f"{out}: {len(indices):,} predictions")
    say(f"{submission.pack(config.out)}: packed")
