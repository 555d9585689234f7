"""`unmask predict`: texts in, JSON lines out."""

import json
import sys
from collections.abc import Iterator
from itertools import islice

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune.known import Known
from unmask.finetune.squad.read import Question, read_unanswered
from unmask.infer import modes, texts
from unmask.infer.config import PredictConfig
from unmask.infer.pipelines import Answer, Pipeline
from unmask.infer.tasks.choices import Chooser
from unmask.infer.tasks.choices import questions as choice_questions
from unmask.infer.tasks.entities import EntityFinder
from unmask.infer.tasks.flags import refuse_unread
from unmask.infer.tasks.questions import Answerer
from unmask.model.heads import MultipleChoice, SpanExtractor, TokenClassifier

AT_ONCE = 256


def run(config: PredictConfig) -> None:
    """Answer for every text, a few hundred at a time, so that a stream may be endless."""
    for answer in _answers(config):
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _answers(config: PredictConfig) -> Iterator[Answer]:
    if config.mode != "answer":
        return modes.answers(config)
    known = Known.of(config.model)
    kind = known.kind
    refuse_unread(config, kind)
    if config.targets:
        return modes.filled_with_targets(config)
    if kind is TokenClassifier:
        return _found(config)
    if kind is SpanExtractor:
        return _answered(config)
    if kind is MultipleChoice:
        return Chooser.open(config.model)(choice_questions(config))
    _say_of_pairs(config, known)
    return _by_pipeline(config)


def _say_of_pairs(config: PredictConfig, known: Known) -> None:
    """A model of pairs answers for a text alone, too, but that is not what it has learnt."""
    if known.facts.get("pairs") and config.pair is None and config.pair_column is None:
        say(
            f"{config.model}: learnt pairs, and these texts come alone; give --pair, or a table "
            "with --pair-column"
        )


def _by_pipeline(config: PredictConfig) -> Iterator[Answer]:
    pipeline = Pipeline.open(config.model, top_k=config.top_k)
    for chunk in _chunks(config):
        pairs = [item.pair for item in chunk if item.pair is not None]
        yield from pipeline([item.text for item in chunk], pairs or None)


def _found(config: PredictConfig) -> Iterator[Answer]:
    finder = EntityFinder.open(config.model)
    for chunk in _chunks(config):
        yield from finder([item.text for item in chunk])


def _answered(config: PredictConfig) -> Iterator[Answer]:
    answerer = Answerer.open(config.model, config.top_k)
    if config.file is not None and config.file_kind == ".json":
        questions = read_unanswered(config.file)
        for first in range(0, len(questions), AT_ONCE):
            yield from answerer(questions[first : first + AT_ONCE])
        return
    done = 0
    for chunk in _chunks(config):
        yield from answerer(
            [_question(config, item, done + number) for number, item in enumerate(chunk, start=1)]
        )
        done += len(chunk)


def _question(config: PredictConfig, item: texts.Text, number: int) -> Question:
    asked = config.question or item.pair
    if not asked:
        raise UserError(
            f"text {number}: has no question, and {config.model} answers questions",
            "give --question, a table with --pair-column, or a .json as SQuAD has",
        )
    return Question(str(number), asked, item.text, (), f"text {number}")


def _chunks(config: PredictConfig) -> Iterator[list[texts.Text]]:
    found = texts.read(config)
    while chunk := list(islice(found, 1 if texts.typed(config) else AT_ONCE)):
        yield chunk
