"""One of several options."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unmask.finetune.choice import checks
from unmask.finetune.choice.example import Question
from unmask.finetune.choice.forms import COMMONSENSE, CONTINUING, READING, Form
from unmask.finetune.choice.sequences import encode
from unmask.finetune.known import Known
from unmask.finetune.softmax import softmax
from unmask.infer.backend import Backend, open_backend
from unmask.infer.batches import by_sequence
from unmask.infer.engine_config import AS_MADE, EngineConfig
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses the option that fits a passage and a question."""

    backend: Backend
    tokenizer: Tokenizer
    task: str
    options: int | None
    """How many it was taught to choose of, if that is known."""
    max_length: int

    @classmethod
    def open(cls, folder: Path, engine: EngineConfig = AS_MADE, *, many: bool = True) -> "Chooser":
        """Open a model or export folder; `many` says that texts come in plenty."""
        facts = Known.of(folder).facts
        return cls(
            open_backend(folder, engine, many=many),
            Tokenizer.load(folder),
            facts.get("task", "choices"),
            facts.get("options"),
            facts.get("max_length", weights.read_config(folder).max_length),
        )

    def __call__(self, questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
        """Answer each question, in order; UserError for another number of options."""
        if not questions:
            return
        if self.options is not None:
            checks.refuse_other_number(questions, self.options)
        form = self._form(questions)
        choices = encode(questions, self.tokenizer, form, max_length=self.max_length)
        scores = by_sequence(self.backend, choices.sequences, self.tokenizer.pad_id)
        probability_NC = softmax(scores.reshape(-1, choices.options))
        for question, probability_C in zip(questions, probability_NC, strict=True):
            number = int(probability_C.argmax())
            shares = dict(zip(question.options, probability_C.tolist(), strict=True))
            yield {
                "id": question.id,
                "question": question.question,
                "answer": question.options[number],
                "number": number,
                "scores": shares,
            }

    def _form(self, questions: Sequence[Question]) -> Form:
        if self.task == "commonsenseqa":
            return COMMONSENSE
        return READING if any(question.passage for question in questions) else CONTINUING
