"""`unmask predict`: texts in, JSON lines out."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune.known import Known
from unmask.finetune.table.records import Opening
from unmask.infer import asked, modes, resume, texts
from unmask.infer.config import PredictConfig
from unmask.infer.pipelines import Answer, Pipeline
from unmask.infer.reading import Meter, opened
from unmask.infer.sinks import as_line
from unmask.infer.streaming import WATCHED, Job, Windows, shown
from unmask.infer.tasks.choices import Chooser
from unmask.infer.tasks.entities import EntityFinder
from unmask.infer.tasks.flags import refuse_unread
from unmask.infer.tasks.questions import Answerer
from unmask.infer.texts import Text
from unmask.model.heads import MultipleChoice, SpanExtractor, TokenClassifier


def run(config: PredictConfig) -> None:
    """Answer for every text, in order, in memory that does not grow with their number."""
    meter = Meter()
    job = _job(config, partial(opened, meter=meter))
    if config.output is None:
        _print(config, job, meter)
    else:
        resume.write(config, config.output, job, meter)


def _print(config: PredictConfig, job: Job, meter: Meter) -> None:
    """Answer on stdout, a few hundred texts at a time, as somebody may watch."""
    if sys.stdout is None:
        raise UserError("stdout is closed, and answers go there", "give --output FILE, or a pipe")
    answer = job.open()
    texts_at_once = 1 if texts.typed(config) else min(WATCHED, job.size.texts)
    with shown(meter) if _is_file(sys.stdout.fileno) else nullcontext() as progress:
        for window in Windows(job.items, job.size._replace(texts=texts_at_once)):
            for one in answer(window.items):
                _tell(one)
            if progress is not None:
                progress.advance(len(window.items))
    for one in job.tally.last() if job.tally is not None else []:
        _tell(one)


def _tell(answer: Answer) -> None:
    try:
        sys.stdout.write(as_line(answer))
    except UnicodeEncodeError:  # half a surrogate pair, or a terminal that is not UTF-8
        sys.stdout.write(as_line(answer, ascii_only=True))
    sys.stdout.flush()


def _is_file(descriptor: Callable[[], int]) -> bool:
    """Tell whether a stream goes into a file, so that nobody watches it."""
    try:
        return stat.S_ISREG(os.fstat(descriptor()).st_mode)
    except OSError:  # it is nothing of the system's, as in a notebook
        return False


def _job(config: PredictConfig, opening: Opening) -> Job:
    if config.mode != "answer":
        return modes.job(config, opening)
    known = Known.of(config.model)
    kind = known.kind
    refuse_unread(config, kind)
    if config.targets:
        return modes.filled_with_targets(config, opening)
    model, engine, many = config.model, config.engine, _many(config)
    if kind is TokenClassifier:
        found = (item.text for item in texts.read(config, opening))
        return Job(found, lambda: EntityFinder.open(model, engine, many=many))
    if kind is SpanExtractor:
        answerer = partial(Answerer.open, model, engine, top_k=config.top_k, many=many)
        return Job(asked.questions(config, opening), answerer)
    if kind is MultipleChoice:
        choices = asked.choices(config, opening)
        return Job(choices, lambda: Chooser.open(model, engine, many=many))
    _say_of_pairs(config, known)
    return Job(texts.read(config, opening), partial(_pipeline, config))


def _say_of_pairs(config: PredictConfig, known: Known) -> None:
    """A model of pairs answers for a text alone, too, but that is not what it has learnt."""
    if known.facts.get("pairs") and config.pair is None and config.pair_column is None:
        say(
            f"{config.model}: learnt pairs, and these texts come alone; give --pair, or a table "
            "with --pair-column"
        )


def _pipeline(config: PredictConfig) -> Callable[[list[Text]], Iterator[Answer]]:
    pipeline = Pipeline.open(config.model, config.engine, top_k=config.top_k, many=_many(config))

    def answers(given: list[Text]) -> Iterator[Answer]:
        pairs = [item.pair for item in given if item.pair is not None]
        return pipeline([item.text for item in given], pairs or None)

    return answers


def _many(config: PredictConfig) -> bool:
    """Whether more texts come than a person gives by flags or types."""
    return not config.text and not texts.typed(config)
