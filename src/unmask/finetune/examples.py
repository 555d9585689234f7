"""What is learnt from, or scored: encoded sequences, and what is right for each of them.

Legend: N examples, T tokens of all sequences.
"""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.finetune.inputs import Ints, tokens_of
from unmask.finetune.sequences import Sequences

Targets = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Examples:
    """Example n has the sequences n * each ... (n + 1) * each - 1."""

    sequences: Sequences
    targets: Targets
    """One row an example, or, where a token has its own, one a token of all sequences."""
    each: int = 1
    """Sequences of an example: as many as there are choices, else 1."""
    by_token: bool = False
    """Whether `targets` has one row a token."""

    def __len__(self) -> int:
        return len(self.sequences) // self.each

    @property
    def lengths_N(self) -> Ints:  # noqa: N802
        """Tokens of each example."""
        lengths_N: Ints = self.sequences.lengths_N.reshape(-1, self.each).sum(1)
        return lengths_N

    def sequences_of(self, index_B: Ints) -> Ints:
        """The sequences of some examples."""
        return (index_B[:, None] * self.each + np.arange(self.each)).reshape(-1)

    def targets_of(self, index_B: Ints) -> Targets:
        """What is right for some examples; by token, in the order of their tokens."""
        if self.by_token:
            return self.targets[tokens_of(self.sequences, self.sequences_of(index_B))]
        return self.targets[index_B]
