"""Questions about contexts as a task: SQuAD 1.1 and 2.0, CMRC, and all data in their format."""

import dataclasses
from pathlib import Path

import numpy as np

from unmask.core.errors import UserError
from unmask.finetune import held_out
from unmask.finetune.config import FinetuneConfig, JudgedConfig
from unmask.finetune.data_config import WindowsConfig
from unmask.finetune.examples import Examples
from unmask.finetune.forward import Logits
from unmask.finetune.known import Known
from unmask.finetune.losses import Span
from unmask.finetune.metrics.cmrc import cmrc
from unmask.finetune.squad import files as squad_files
from unmask.finetune.squad import score
from unmask.finetune.squad.answers import Answer, Search, answer
from unmask.finetune.squad.read import Question, read
from unmask.finetune.squad.spans import targets
from unmask.finetune.squad.windows import Sizes, Windows, cut
from unmask.finetune.task import Facts, Head, Scores, Split, Task
from unmask.model.heads import SpanExtractor
from unmask.tokenizer.tokenizer import Tokenizer

THRESHOLD = "null_threshold"
METRICS = {
    "squad": ("f1", "exact_match"),
    "squad2": ("best_f1", "best_exact"),
    "cmrc": ("f1", "em", "average"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class AnswerJudge:
    """The references of every question, and how answers are scored."""

    task: str
    questions: list[Question]
    windows: Windows
    search: Search
    threshold: float = 0.0
    """Null odds above which there is no answer; SQuAD 2.0 alone has such questions."""
    last: "_Last" = dataclasses.field(default_factory=lambda: _Last())

    def scores(self, logits: Logits) -> Scores:
        """Those of the task's official script."""
        return self._scored(self._answers(logits))

    def details(self, logits: Logits) -> Facts:
        """How many windows there were, and questions without an answer."""
        return {
            "questions": len(self.questions),
            "windows": len(self.windows),
            "unanswered": sum(not one.best for one in self._answers(logits)),
        }

    def settled(self, logits: Logits) -> Facts:
        """SQuAD 2.0: the threshold with the best F1."""
        if self.task != "squad2":
            return {}
        return {THRESHOLD: score.best_na_threshold(self.questions, self._answers(logits))}

    def stuck(self, logits: Logits) -> bool:
        """Whether everything has the same answer."""
        return len({one.best for one in self._answers(logits)}) == 1 and len(self.questions) > 1

    def write(self, logits: Logits, folder: Path) -> None:
        """Write predictions, candidates and null odds."""
        answers = self._answers(logits)
        if self.task == "squad2":
            squad_files.write_or_none(folder, answers, self.threshold)
        else:
            squad_files.write(folder, answers)

    def _scored(self, answers: list[Answer]) -> Scores:
        match self.task:
            case "squad":
                return score.scores_1(self.questions, answers)
            case "squad2":
                return score.scores_2(self.questions, answers, self.threshold)
            case _:
                references = {
                    one.id: [reference.text for reference in one.references]
                    for one in self.questions
                }
                return cmrc(references, {one.id: one.best for one in answers})

    def _answers(self, logits: Logits) -> list[Answer]:
        if self.last.logits is not logits:
            self.last.logits = logits
            self.last.answers = answer(self.questions, self.windows, logits, self.search)
        return self.last.answers


@dataclasses.dataclass(slots=True)
class _Last:
    """What was read off the last logits: scores, details and files all ask for it."""

    logits: Logits | None = None
    answers: list[Answer] = dataclasses.field(default_factory=list)


def files(config: FinetuneConfig) -> list[Path]:
    """The files that are read."""
    if config.data.is_file():
        return [config.data]
    return [find(config.data, split) for split in ("train", "dev")]


def find(folder: Path, split: str) -> Path:
    """Find the one JSON file of a split, such as train-v1.1.json; UserError for none or several."""
    found = sorted(path for path in folder.glob(f"{split}*.json*") if path.is_file())
    if len(found) != 1:
        what = " and ".join(path.name for path in found) or f"no {split}*.json"
        raise UserError(
            f"{folder}: has {what}",
            "keep one train and one dev file there, or name a single file, of whose articles some "
            "are held out",
        )
    return found[0]


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train and dev and cut their contexts into windows."""
    train, dev = _train_and_dev(config)
    _refuse_impossible(config.task, [*train, *dev])
    windows = cut(train, tokenizer, _sizes(config.windows, max_length))
    facts = {"windows": dataclasses.asdict(config.windows)}
    return Task(
        head=Head(SpanExtractor),
        loss=Span(),
        metrics=METRICS[config.task],
        metric=METRICS[config.task][0],
        train=Examples(windows.sequences, targets(train, windows)),
        dev=_split(config.task, dev, tokenizer, config.windows, max_length, 0.0),
        facts=facts,
    )


def judged(
    config: JudgedConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read what a model is scored on."""
    assert config.task is not None
    known.require(SpanExtractor, config.task)
    if config.data.is_file():
        questions = read(config.data)
        groups = [question.article for question in questions]
        questions = held_out.part(questions, groups, config.data, config.split or "all")
    else:
        questions = read(find(config.data, config.split or "dev"))
    _refuse_impossible(config.task, questions)
    windows = config.windows
    if windows == WindowsConfig() and "windows" in known.facts:
        windows = WindowsConfig(**known.facts["windows"])
    threshold = float(known.facts.get(THRESHOLD, 0.0))
    return [_split(config.task, questions, tokenizer, windows, max_length, threshold)]


def _train_and_dev(config: FinetuneConfig) -> tuple[list[Question], list[Question]]:
    if config.data.is_file():
        questions = read(config.data)
        return held_out.split(questions, [one.article for one in questions], config.data)
    train, dev = (read(path) for path in files(config))
    return train, dev


def _split(
    task: str,
    questions: list[Question],
    tokenizer: Tokenizer,
    config: WindowsConfig,
    max_length: int,
    threshold: float,
) -> Split:
    windows = cut(questions, tokenizer, _sizes(config, max_length))
    nothing_to_learn = np.zeros((len(windows), 2), np.int64)
    examples = Examples(windows.sequences, nothing_to_learn)
    search = Search(tokens=config.answer)
    return Split("", examples, AnswerJudge(task, questions, windows, search, threshold))


def _sizes(config: WindowsConfig, max_length: int) -> Sizes:
    return Sizes(length=max_length, stride=config.stride, question=config.question)


def _refuse_impossible(task: str, questions: list[Question]) -> None:
    """Only SQuAD 2.0 has questions without an answer."""
    if task == "squad2":
        return
    for question in questions:
        if question.impossible:
            raise UserError(
                f"{question.place}: has no answer, and --task {task} has none such",
                "give --task squad2",
            )
