"""Precision, recall and F1 of one kind of thing that is looked for."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """How well things of one kind were found; what has nothing to be divided by is 0."""

    precision: float
    recall: float
    f1: float
    support: int
    """How many there are in the gold data."""

    @classmethod
    def of(cls, hits: int, predicted: int, gold: int) -> "Score":
        """Of `predicted` things said and `gold` things there, `hits` are the same."""
        assert 0 <= hits <= min(predicted, gold)
        return cls(
            precision=hits / predicted if predicted else 0.0,
            recall=hits / gold if gold else 0.0,
            f1=2 * hits / (predicted + gold) if predicted + gold else 0.0,
            support=gold,
        )
