"""Names for the classes of a head, which fairseq keeps apart from the weights."""

from collections.abc import Sequence
from pathlib import Path

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.tokenizer.fairseq import FILLER
from unmask.tokenizer.family import ROBERTA

DICTIONARY = "label/dict.txt"
"""Where fairseq-preprocess puts them: the line says the class (tasks/sentence_prediction.py)."""
PUBLISHED = {"mnli": ("contradiction", "neutral", "entailment")}
"""Heads of published checkpoints (examples/roberta/README.md); GLUE counts the other way."""
SCORE = ("score",)
"""The one output of a regression has no class to name."""


def find(beside: Path) -> Path | None:
    """Find the file of label names beside a checkpoint."""
    path = beside / DICTIONARY
    return path if path.is_file() else None


def read(path: Path, classes: int) -> tuple[str, ...]:
    """Read the names in order, without the made-up words that fill the file up.

    UserError unless it names as many classes as the head has.
    """
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error})", "name the classes by --labels") from None
    names = [line.rpartition(" ")[0] for line in lines]
    real = [name for name in names if not name.startswith(FILLER)]
    if len(real) != classes:
        raise UserError(
            f"{path}: names {len(real)} classes, the head has {classes}",
            "name them in order by --labels",
        )
    return tuple(real)


def of_head(
    head: str, classes: int, given: tuple[str, ...], dictionary: Path | None
) -> tuple[str, ...]:
    """Name the classes of a head: as given, by the file beside it, or as it was published.

    Where nobody names them they are LABEL_0, LABEL_1 ... as in transformers, and the user is told.
    """
    if given:
        if len(given) != classes:
            raise UserError(
                f"--labels names {len(given)} classes, the head {head} has {classes}",
                "name every class once, in the order of the head",
            )
        return given
    if classes == 1:
        return SCORE
    if dictionary is not None:
        return read(dictionary, classes)
    if len(PUBLISHED.get(head, ())) == classes:
        return PUBLISHED[head]
    say(f"nothing names the {classes} classes of {head}: LABEL_0 ...; --labels names them")
    return tuple(f"LABEL_{number}" for number in range(classes))


def save(labels: Sequence[str], folder: Path) -> None:
    """Write label/dict.txt; UserError for a name that such a file cannot hold."""
    for label in labels:
        special = label in ROBERTA.specials or label.startswith(FILLER)
        if special or not label or label != " ".join(label.split()):
            raise UserError(
                f"the label {label!r} cannot stand in a dict.txt", "give the class another name"
            )
    path = folder / DICTIONARY
    path.parent.mkdir(exist_ok=True)
    files.write_text(path, "".join(f"{label} 1\n" for label in labels))
