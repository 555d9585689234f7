"""CommonsenseQA (Talmor et al. 2019) and files of its form, as ARC's and OpenBookQA's are."""

from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.finetune import split_files
from unmask.finetune.choice import checks, fields
from unmask.finetune.choice.example import Question
from unmask.finetune.table.records import Record, records


def find(folder: Path, split: str) -> Path:
    """Find the file of a split, train, dev or test, by its official name or as `SPLIT.jsonl`."""
    stems = (f"{split}_rand_split", f"{split}_rand_split_no_answers", split)
    return split_files.find(folder, stems, (".jsonl",))


def read(path: Path) -> list[Question]:
    """Read one question a line, with `answerKey` naming the label of the right option.

    Choices are a list of {label, text} within `question`, whose text is its `stem`, as in the
    official files, or {label: [...], text: [...]} beside it, as in the copies of the Hugging Face
    Hub. UserError for what is missing or wrong, with its place.
    """
    questions = [_question(record, f"{path}: row {row}") for row, record in records(path)]
    return checks.whole(questions, path)


def _question(record: Record, place: str) -> Question:
    asked = fields.value(record, "question", place)
    if isinstance(asked, dict):
        question = fields.text(asked, "stem", place)
        labels, texts = _pairs(fields.items(asked, "choices", place), place)
    else:
        question = fields.text(record, "question", place)
        labels, texts = _columns(fields.value(record, "choices", place), place)
    options = fields.options(texts, place)
    answer = record.get("answerKey")
    return Question(
        id=fields.text(record, "id", place),
        passage="",
        question=question,
        options=options,
        gold=None if answer in (None, "") else _gold(answer, labels, place),
        place=place,
    )


def _pairs(choices: list[Any], place: str) -> tuple[list[Any], list[Any]]:
    for number, choice in enumerate(choices, start=1):
        if not isinstance(choice, dict):
            raise UserError(
                f"{place}: choice {number} is no JSON object", "give it a label and a text"
            )
    return tuple(  # type: ignore[return-value]
        [fields.value(choice, name, place) for choice in choices] for name in ("label", "text")
    )


def _columns(choices: object, place: str) -> tuple[list[Any], list[Any]]:
    if not isinstance(choices, dict):
        raise UserError(
            f"{place}: 'choices' is {type(choices).__name__}, not a JSON object",
            "give it label and text",
        )
    labels, texts = (fields.items(choices, name, place) for name in ("label", "text"))
    if len(labels) != len(texts):
        raise UserError(
            f"{place}: {len(labels)} labels for {len(texts)} options", "give each option a label"
        )
    return labels, texts


def _gold(answer: object, labels: list[Any], place: str) -> int:
    if labels.count(answer) != 1:
        known = ", ".join(map(str, labels))
        often = "more than one" if answer in labels else "none"
        raise UserError(
            f"{place}: the answer {answer!r} is {often} of the labels {known}",
            "put right the answer or the labels",
        )
    return labels.index(answer)
