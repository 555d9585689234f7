"""Multiple choice as a task: RACE, DREAM, CommonsenseQA, and tables like COPA's.

Legend: N questions, S sequences: one for each option.
"""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core import files as written
from unmask.core.errors import UserError
from unmask.finetune import held_out, table
from unmask.finetune.choice import checks, commonsense, dream, race
from unmask.finetune.choice import table as choice_table
from unmask.finetune.choice.example import Question
from unmask.finetune.choice.forms import COMMONSENSE, CONTINUING, READING, Form
from unmask.finetune.choice.scores import accuracy, chosen
from unmask.finetune.choice.sequences import encode
from unmask.finetune.config import FinetuneConfig, JudgedConfig
from unmask.finetune.data_config import ChoicesConfig
from unmask.finetune.examples import Examples
from unmask.finetune.forward import Logits
from unmask.finetune.known import Known
from unmask.finetune.losses import OneChoice
from unmask.finetune.task import Facts, Head, Scores, Split, Task
from unmask.model.heads import MultipleChoice
from unmask.tokenizer.tokenizer import Tokenizer

PREDICTIONS = "predictions.json"
RACE: dict[str, race.Part] = {"race": "all", "race-middle": "middle", "race-high": "high"}


@dataclasses.dataclass(frozen=True, slots=True)
class ChoiceJudge:
    """Which option is right."""

    questions: list[Question]
    gold_N: npt.NDArray[np.int64]

    def scores(self, logits: Logits) -> Scores:
        """Accuracy, and that of each part of the data."""
        return accuracy(self.questions, self._chosen(logits))

    def details(self, logits: Logits) -> Facts:
        """How often each place is right, and chosen: a model should not prefer one."""
        chosen_N, places = self._chosen(logits), range(self._options)
        return {
            "places": {
                "gold": [int((self.gold_N == place).sum()) for place in places],
                "chosen": [int((chosen_N == place).sum()) for place in places],
            }
        }

    def settled(self, logits: Logits) -> Facts:
        """Nothing: the option with the highest score is the answer."""
        return {}

    def stuck(self, logits: Logits) -> bool:
        """Whether all options score the same, or always the same place is chosen."""
        return len(np.unique(self._chosen(logits))) == 1 and len(np.unique(self.gold_N)) > 1

    def write(self, logits: Logits, folder: Path) -> None:
        """Write the number of the option of each question by its id, from 0."""
        pairs = zip(self.questions, self._chosen(logits).tolist(), strict=True)
        written.write_json(
            folder / PREDICTIONS, {question.id: number for question, number in pairs}
        )

    @property
    def _options(self) -> int:
        return len(self.questions[0].options)

    def _chosen(self, logits: Logits) -> npt.NDArray[np.int64]:
        return chosen(logits[:, 0], self._options)


def files(config: FinetuneConfig) -> list[Path]:
    """The files that are read."""
    if config.data.is_file():
        return [config.data]
    found = {path for split in ("train", "dev") for path in _files(config.task, config.data, split)}
    return sorted(found)


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train and dev."""
    train, dev = _train_and_dev(config)
    options = checks.number_of_options(train)
    checks.refuse_other_number(dev, options)
    form = _form(config.task, train)
    return Task(
        head=Head(MultipleChoice),
        loss=OneChoice(options),
        metrics=("accuracy",),
        metric="accuracy",
        train=_examples(train, tokenizer, form, max_length),
        dev=_split(dev, tokenizer, form, max_length),
        facts={"options": options},
    )


def judged(
    config: JudgedConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read what a model is scored on."""
    assert config.task is not None
    known.require(MultipleChoice, config.task)
    data = config.data
    if data.is_file():
        questions = _read(config.task, data, "", config.choices)
        questions = held_out.part(questions, _groups(questions), data, config.split or "all")
    else:
        questions = _read(config.task, data, config.split or "dev", config.choices)
    if "options" in known.facts:
        checks.refuse_other_number(questions, known.facts["options"])
    return [_split(questions, tokenizer, _form(config.task, questions), max_length)]


def _train_and_dev(config: FinetuneConfig) -> tuple[list[Question], list[Question]]:
    if config.data.is_file():
        questions = _read(config.task, config.data, "", config.choices)
        return held_out.split(questions, _groups(questions), config.data)
    train, dev = (
        _read(config.task, config.data, split, config.choices) for split in ("train", "dev")
    )
    return train, dev


def _groups(questions: list[Question]) -> list[str]:
    """Questions about one text stay together."""
    return [question.passage or question.id for question in questions]


def _read(task: str, data: Path, split: str, columns: ChoicesConfig) -> list[Question]:
    if task in RACE:
        if data.is_file():
            raise UserError(
                f"{data}: a file, and RACE is a folder", "name the folder that holds it"
            )
        return race.read(data, split, RACE[task])
    (path,) = [data] if data.is_file() else _files(task, data, split)
    if task == "dream":
        return dream.read(path)
    if task == "commonsenseqa":
        return commonsense.read(path)
    return choice_table.read(path, _columns(columns))


def _files(task: str, data: Path, split: str) -> list[Path]:
    if task in RACE:
        parts = race.PARTS if task == "race" else (RACE[task],)
        return [path for part in parts for path in race.files(data, split, part)]
    find = {"dream": dream.find, "commonsenseqa": commonsense.find}.get(task, table.find)
    return [find(data, split)]


def _columns(config: ChoicesConfig) -> choice_table.ChoiceColumns:
    return choice_table.ChoiceColumns(**dataclasses.asdict(config))


def _form(task: str, questions: list[Question]) -> Form:
    if task == "commonsenseqa":
        return COMMONSENSE
    return READING if any(question.passage for question in questions) else CONTINUING


def _split(questions: list[Question], tokenizer: Tokenizer, form: Form, max_length: int) -> Split:
    examples = _examples(questions, tokenizer, form, max_length)
    return Split("", examples, ChoiceJudge(questions, examples.targets))


def _examples(
    questions: list[Question], tokenizer: Tokenizer, form: Form, max_length: int
) -> Examples:
    choices = encode(questions, tokenizer, form, max_length=max_length)
    return Examples(choices.sequences, checks.gold_numbers(questions), each=choices.options)
