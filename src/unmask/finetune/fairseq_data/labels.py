"""The labels of a fairseq folder: classes by their ids, or numbers a line each.

Legend: N examples.
"""

import dataclasses
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.fairseq_data import dictionary, index
from unmask.finetune.fairseq_data.dictionary import EOS, FILLER, SPECIALS, UNK

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Labels:
    """The class of each example; names in fairseq's order, the commonest of train first."""

    names: tuple[str, ...]
    label_N: Ints


def read(folder: Path, split: str) -> Labels:
    """Read the classes of a split, `label/dict.txt` and `label/SPLIT.{idx,bin}`.

    Class c is id c + 4 (fairseq/tasks/sentence_prediction.py). UserError for an example with no
    label, several, or one that train does not have.
    """
    stem = folder / "label" / split
    names = dictionary.read(folder / "label" / "dict.txt")[len(SPECIALS) :]
    names = tuple(name for name in names if not FILLER.fullmatch(name))
    items = index.read(stem)
    ends_N = items.sizes_N.cumsum()
    wrong_N = items.sizes_N != 2
    if not wrong_N.any():
        wrong_N = items.values_T[ends_N - 1] != EOS
    if wrong_N.any():
        first = int(wrong_N.argmax())
        raise UserError(
            f"{stem}.bin: example {first + 1} has {max(int(items.sizes_N[first]) - 1, 0)} labels",
            "one label without spaces belongs to each example",
        )
    label_N = items.values_T[ends_N - 2] - len(SPECIALS)
    beyond_N = (label_N < 0) | (label_N >= len(names))
    if beyond_N.any():
        first = int(beyond_N.argmax())
        id_ = int(label_N[first]) + len(SPECIALS)
        raise UserError(
            f"{stem}.bin: example {first + 1} has "
            + ("a label that train has not" if id_ == UNK else f"the label id {id_}"),
            f"label/dict.txt has {', '.join(names[:8])}; make the folder again with that label",
        )
    return Labels(names, label_N)


def read_numbers(folder: Path, split: str) -> npt.NDArray[np.float64]:
    """Read `label/SPLIT.label`, a number a line, as it stands: number_N.

    fairseq's preparation divides STS-B's by 5. UserError for a line that is no finite number.
    """
    path = folder / "label" / f"{split}.label"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "give the numbers of this split") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error})", "get the file again") from None
    return np.array(
        [_number(line, f"{path}: line {row}") for row, line in enumerate(lines, start=1)],
        dtype=np.float64,
    )


def _number(line: str, place: str) -> float:
    try:
        number = float(line)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{place}: {line!r} is not a number", "write one number a line, as 0.76")
    return number
