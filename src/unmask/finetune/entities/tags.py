"""Tags as numbers.

Legend: M words of all sentences.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.entities.scheme import OUTSIDE
from unmask.finetune.entities.sentence import Sentence

_SHOWN = 8
"""Types that an error names."""


def tag_names(sentences: Iterable[Sentence]) -> tuple[str, ...]:
    """Number the tags of IOB2: O, then B- and I- of each type, by the types' names.

    UserError if no word is of an entity.
    """
    found = {tag for sentence in sentences for tag in sentence.tags}
    types = sorted({tag[2:] for tag in found if tag != OUTSIDE})
    if not types:
        raise UserError(
            "no word of the training data is of an entity",
            "name the right column with --entities.tag",
        )
    return (OUTSIDE, *(f"{letter}-{kind}" for kind in types for letter in "BI"))


def tag_numbers(sentences: Sequence[Sentence], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Number the tag of each word of all sentences: tag_M; UserError for one not in `names`."""
    numbers = {name: number for number, name in enumerate(names)}
    for sentence in sentences:
        if not numbers.keys() >= set(sentence.tags):
            _refuse(sentence, names)
    found = (numbers[tag] for sentence in sentences for tag in sentence.tags)
    return np.fromiter(found, np.int64)


def _refuse(sentence: Sentence, names: Sequence[str]) -> None:
    index, tag = next((index, tag) for index, tag in enumerate(sentence.tags) if tag not in names)
    types = list(dict.fromkeys(name[2:] for name in names if name != OUTSIDE))
    more = f" and {len(types) - _SHOWN} more" if len(types) > _SHOWN else ""
    raise UserError(
        f"{sentence.place(index)}: tag {tag!r} does not occur in the training data",
        f"the types are {', '.join(types[:_SHOWN])}{more}; correct the tag, or add training "
        "sentences with it",
    )
