"""Answers to questions, found in a context."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unmask.finetune.data_config import WindowsConfig
from unmask.finetune.known import Known
from unmask.finetune.squad.answers import Answer, Search, answer, shares
from unmask.finetune.squad.family import THRESHOLD
from unmask.finetune.squad.read import Question
from unmask.finetune.squad.windows import Sizes, cut
from unmask.infer.backend import Backend, open_backend
from unmask.infer.batches import by_token
from unmask.infer.engine_config import AS_MADE, EngineConfig
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer

LENGTH = 384


@dataclasses.dataclass(frozen=True, slots=True)
class Answerer:
    """Finds the answer to a question in a context of any length, or that there is none."""

    backend: Backend
    tokenizer: Tokenizer
    sizes: Sizes
    search: Search
    threshold: float | None
    """Null odds above which there is no answer; None for a model that always answers."""

    @classmethod
    def open(
        cls,
        folder: Path,
        engine: EngineConfig = AS_MADE,
        *,
        top_k: int | None = None,
        many: bool = True,
    ) -> "Answerer":
        """Open a model or export folder.

        `many` says that texts come in plenty; `top_k` is the number of answers to choose from.
        """
        facts = Known.of(folder).facts
        windows = WindowsConfig(**facts.get("windows", {}))
        most = weights.read_config(folder).max_length
        return cls(
            open_backend(folder, engine, many=many),
            Tokenizer.load(folder),
            Sizes(
                length=facts.get("max_length", min(LENGTH, most)),
                stride=windows.stride,
                question=windows.question,
            ),
            Search(tokens=windows.answer, candidates=top_k or Search().candidates),
            facts.get(THRESHOLD),
        )

    def __call__(self, questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
        """Answer each question, in order."""
        windows = cut(questions, self.tokenizer, self.sizes)
        logits = by_token(self.backend, windows.sequences, self.tokenizer.pad_id)
        answers = answer(questions, windows, logits, self.search)
        for question, found in zip(questions, answers, strict=True):
            yield {"id": question.id, "question": question.question} | self._told(found)

    def _told(self, found: Answer) -> dict[str, Any]:
        """The best answer first; the empty text says that the context holds none."""
        spans = found.spans if self.threshold is None else found.spans_or_none
        candidates = [
            {"text": span.text, "start": span.begin, "end": span.end, "probability": share}
            for span, share in zip(spans, shares(spans), strict=True)
        ]
        if self.threshold is None:
            return {"answer": found.best, "candidates": candidates}
        best = found.best_or_none(self.threshold)
        return {"answer": best, "null_odds": found.null_odds, "candidates": candidates}
