"""Documents that are the same to the letter: all but the first in the order of the inputs go."""

import dataclasses
from typing import Any

from unmask.corpus.duplicates import hashes, pairs
from unmask.corpus.duplicates.pairs import Pairs
from unmask.corpus.work import DUPLICATE, Part, Work


@dataclasses.dataclass(frozen=True, slots=True)
class BucketTask:
    """One bucket of hashes, out of the files of all parts."""

    parts: tuple[Part, ...]
    number: int
    of: int
    work: Work


def find(task: BucketTask) -> dict[str, Any]:
    """Write which documents of a bucket repeat which earlier one."""
    of_parts = ((task.work.hashes(part), part.first) for part in task.parts)
    later_P, first_P = hashes.later_ones(hashes.bucket(of_parts, task.number, task.of))
    pairs.write(task.work.repeats(DUPLICATE, task.number), Pairs(later_P, first_P))
    return {"found": len(later_P)}
