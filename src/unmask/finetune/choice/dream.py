"""DREAM: questions on dialogues (Sun et al. 2019; files of github.com/nlpdata/dream)."""

from collections.abc import Iterator
from pathlib import Path

from unmask.core.errors import UserError
from unmask.finetune import packed, split_files
from unmask.finetune.choice import checks, fields
from unmask.finetune.choice.example import Question

SHAPE = "an entry is [lines of the dialogue, questions, id]"


def find(folder: Path, split: str) -> Path:
    """Find `SPLIT.json`, plain or packed: train, dev or test."""
    return split_files.find(folder, (split,), (".json",))


def read(path: Path) -> list[Question]:
    """Read every question; the lines of a dialogue become one passage, joined by spaces.

    Question n of the dialogue D has the id `D-n`, from 0. UserError for what is missing or wrong,
    with its place.
    """
    dialogues = fields.a_list(packed.json_value(path), f"{path}: it")
    questions = [
        question
        for number, dialogue in enumerate(dialogues, start=1)
        for question in _questions(dialogue, f"{path}: dialogue {number}")
    ]
    return checks.whole(questions, path)


def _questions(dialogue: object, place: str) -> Iterator[Question]:
    match dialogue:
        case [list(lines), list(asked), str(name)]:
            pass
        case _:
            raise UserError(f"{place}: not of the form of DREAM", SHAPE)
    said = [fields.a_text(line, f"{place}: a line of it") for line in lines]
    passage = fields.a_text(" ".join(said), f"{place}: its text")
    for index, record in enumerate(asked):
        where = f"{place}: question {index + 1}"
        if not isinstance(record, dict):
            raise UserError(f"{where}: not a JSON object", SHAPE)
        options = fields.options(fields.items(record, "choice", where), where)
        yield Question(
            id=f"{name}-{index}",
            passage=passage,
            question=fields.text(record, "question", where),
            options=options,
            gold=_gold(record["answer"], options, where) if "answer" in record else None,
            place=where,
        )


def _gold(answer: object, options: tuple[str, ...], place: str) -> int:
    """Number the option that is the answer, word for word."""
    times = options.count(answer) if isinstance(answer, str) else 0
    if times != 1:
        raise UserError(
            f"{place}: the answer {answer!r} is {times or 'none'} of the options",
            "the answer has to be one option, word for word",
        )
    return options.index(str(answer))
