"""A folder of fairseq-preprocess: `input0/ [input1/] [label/]`, with `SPLIT.{idx,bin}` in each."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.fairseq_data import dictionary, index, labels
from unmask.finetune.fairseq_data.ids import Translation
from unmask.finetune.fairseq_data.index import Items
from unmask.finetune.fairseq_data.labels import Labels
from unmask.finetune.fairseq_data.sequences import assemble
from unmask.finetune.sequences import Sequences
from unmask.tokenizer.tokenizer import Tokenizer

FIRST, SECOND, THIRD = "input0", "input1", "input2"
ENCODER = "encoder.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Classified:
    """Sequences and the class of each."""

    sequences: Sequences
    labels: Labels


@dataclasses.dataclass(frozen=True, slots=True)
class Rated:
    """Sequences and the number of each, number_N."""

    sequences: Sequences
    number_N: npt.NDArray[np.float64]


def is_fairseq(folder: Path) -> bool:
    """Tell a folder of fairseq-preprocess from one of tables."""
    return (folder / FIRST / "dict.txt").is_file()


def splits(folder: Path) -> tuple[str, ...]:
    """Name the splits: train, valid, and valid1, test... as far as they are there."""
    found = {path.stem for path in (folder / FIRST).glob("*.idx")}
    return tuple(
        sorted(found, key=lambda name: (name != "train", not name.startswith("valid"), name))
    )


def has_classes(folder: Path) -> bool:
    """Tell classes, which have a dictionary, from numbers, which stand in plain text."""
    return (folder / "label" / "dict.txt").is_file()


def read_classes(folder: Path, split: str, tokenizer: Tokenizer, *, max_length: int) -> Classified:
    """Read a split with its classes; ids are those of the tokenizer.

    UserError for what is missing, damaged, of another tokenizer or of another number of examples.
    """
    sequences = read_texts(folder, split, tokenizer, max_length=max_length)
    found = labels.read(folder, split)
    _refuse_other_count(folder, split, len(sequences), len(found.label_N))
    return Classified(sequences, found)


def read_numbers(folder: Path, split: str, tokenizer: Tokenizer, *, max_length: int) -> Rated:
    """Read a split with its numbers, otherwise as `read_classes`."""
    sequences = read_texts(folder, split, tokenizer, max_length=max_length)
    number_N = labels.read_numbers(folder, split)
    _refuse_other_count(folder, split, len(sequences), len(number_N))
    return Rated(sequences, number_N)


def read_texts(folder: Path, split: str, tokenizer: Tokenizer, *, max_length: int) -> Sequences:
    """Read the sequences of a split alone; the labels need not be there.

    An `encoder.json` in the folder tells whose numbers `dict.txt` holds; without one, GPT-2's.
    """
    if (folder / THIRD).is_dir():
        raise UserError(
            f"{folder}: has {THIRD}/, so it is of sentence_ranking",
            "of fairseq's folders, those of sentence_prediction are read: one text or two",
        )
    encoder = _encoder(folder / ENCODER)
    inputs = [
        _input(folder / name, split, tokenizer, encoder)
        for name in (FIRST, SECOND)
        if name == FIRST or (folder / name).is_dir()
    ]
    if len({len(items) for items in inputs}) > 1:
        first, second = map(len, inputs)
        raise UserError(
            f"{folder}: {split} has {first:,} examples in {FIRST} and {second:,} in {SECOND}",
            "make the folder again; were empty lines left out of one of them?",
        )
    return assemble(inputs, tokenizer, max_length=max_length)


def _input(folder: Path, split: str, tokenizer: Tokenizer, encoder: dict[str, int] | None) -> Items:
    stem = folder / split
    if not stem.with_name(f"{split}.idx").is_file():
        raise UserError(
            f"{folder}: has no {split}.idx; there is {', '.join(splits(folder.parent)) or 'none'}",
            "name a split that is there, written with fairseq-preprocess --dataset-impl mmap",
        )
    items = index.read(stem)
    if not len(items):
        raise UserError(f"{stem}.idx: has no examples", "make the folder again with some")
    ends_N = items.sizes_N.cumsum()
    open_N = items.sizes_N < 1
    if not open_N.any():
        open_N = items.values_T[ends_N - 1] != dictionary.EOS
    if open_N.any():
        raise UserError(
            f"{stem}.bin: example {int(open_N.argmax()) + 1} does not end with </s>",
            "fairseq-preprocess ends every example so; make the folder again with it",
        )
    return Translation.of(folder / "dict.txt", tokenizer, encoder)(items, f"{stem}.bin")


def _encoder(path: Path) -> dict[str, int] | None:
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error})", "get the file again") from None
    if not isinstance(table, dict) or not all(isinstance(id_, int) for id_ in table.values()):
        raise UserError(f"{path}: not an object of tokens and their numbers", "get the file again")
    return table


def _refuse_other_count(folder: Path, split: str, texts: int, told: int) -> None:
    if texts != told:
        raise UserError(
            f"{folder}: {split} has {texts:,} examples and {told:,} labels",
            "make the folder again; were empty lines left out of one of them?",
        )
