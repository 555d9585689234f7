"""Answers in the files of run_qa of transformers, the first and last of which SQuAD's scripts read.

Questions stand by their id in predictions.json (a text), nbest_predictions.json (texts with their
probability, start_logit and end_logit, the best first) and null_odds.json (a number).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unmask.core import files
from unmask.finetune.squad.answers import Answer, Span, shares

PREDICTIONS = "predictions.json"
CANDIDATES = "nbest_predictions.json"
NULL_ODDS = "null_odds.json"


def write(folder: Path, answers: Sequence[Answer]) -> None:
    """Write answers to questions that all have one: predictions and candidates."""
    files.write_json(folder / PREDICTIONS, {answer.id: answer.best for answer in answers})
    files.write_json(folder / CANDIDATES, {answer.id: _listed(answer.spans) for answer in answers})


def write_or_none(folder: Path, answers: Sequence[Answer], na_threshold: float) -> None:
    """Write answers where there may be none: "" for a question whose null odds are above."""
    texts = {answer.id: answer.best_or_none(na_threshold) for answer in answers}
    candidates = {answer.id: _listed(answer.spans_or_none) for answer in answers}
    files.write_json(folder / PREDICTIONS, texts)
    files.write_json(folder / CANDIDATES, candidates)
    files.write_json(folder / NULL_ODDS, {answer.id: answer.null_odds for answer in answers})


def _listed(spans: Sequence[Span]) -> list[dict[str, Any]]:
    return [
        {
            "text": span.text,
            "probability": share,
            "start_logit": span.start_logit,
            "end_logit": span.end_logit,
        }
        for span, share in zip(spans, shares(spans), strict=True)
    ]
