"""A question of multiple choice, whatever file it comes from."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question, its options and where it stands."""

    id: str
    passage: str
    """What the question is about; empty where there is no such text."""
    question: str
    """Empty where the options go on with the passage itself."""
    options: tuple[str, ...]
    gold: int | None
    """The number of the right option, from 0; None where the file does not tell."""
    place: str
    part: str = ""
    """A share of the data that is scored by itself too, such as RACE's `middle` and `high`."""
