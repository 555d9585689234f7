"""A labelled task from documentation: which package does this passage document?"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from unmask.core.errors import UserError
from unmask.core.hashing import stream
from unmask.demo.docstrings import ITEM

MODULES = {"pretraining": 60, "task": 40}
"""Percent of the modules: no labelled passage comes from a module that pretraining read."""
PASSAGES = {"train": 50, "dev": 17, "test": 33}
"""Percent of the passages in the modules of the task."""
CLASSES = 8
FEWEST_CLASSES = 4
FEWEST_TRAIN = 30
SHORTEST, LONGEST = 100, 600
"""Characters of a passage."""

SENTENCES = re.compile(r"(?:[^\W\d_]|[`*'\"(:\[]).*[.?!]\)?")
PARAMETER = re.compile(r"[\w*`.]+(?: \([^)]*\))?:\s")


@dataclasses.dataclass(frozen=True, slots=True)
class Passage:
    """The prose of one docstring."""

    text: str
    label: str
    split: str


def deal(name: str, shares: Mapping[str, int], seed: int) -> str:
    """Choose a split by the name of a module, or the text of a passage, alone.

    So another package moves no module, and a text that stands twice lies in one split.
    """
    place = stream(f"demo split {name}", seed) % 100
    for split, share in shares.items():
        if place < share:
            return split
        place -= share
    raise AssertionError("the shares add up to 100")


def prose(docstring: str) -> str | None:
    """Take a docstring's paragraphs, up to the longest passage; None if they say too little."""
    text = ""
    for line in filter(_is_prose, docstring.splitlines()):
        if len(text) + 1 + len(line) > LONGEST:
            break
        text = f"{text} {line}".lstrip()
    return text if len(text) >= SHORTEST else None


def label(
    passages: Iterable[Passage],
    names: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    seed: int,
) -> dict[str, list[Passage]]:
    """Choose the classes and at most `sizes` passages a split, as many of each class.

    Args:
        passages: of every split, the pretraining text's too: what it holds is no task.
        names: for each label the words that would give it away.
        sizes: passages of train, dev and test.
        seed: which passages are taken where there are more.

    Raises UserError where fewer than 4 classes have 30 passages to train on.
    """
    drawn = sorted(passages, key=lambda passage: stream(f"demo passage {passage.text}", seed))
    classes = _fullest(drawn, sizes)
    pool = list(_distinct(drawn, _pattern([name for each in classes for name in names[each]])))
    counts = Counter((passage.label, passage.split) for passage in pool)
    classes = [
        each
        for each in classes
        if counts[each, "train"] >= FEWEST_TRAIN and counts[each, "dev"] and counts[each, "test"]
    ]
    if len(classes) < FEWEST_CLASSES:
        raise UserError(
            f"only {len(classes)} installed packages have {FEWEST_TRAIN} documented passages "
            f"to train on, the demo needs {FEWEST_CLASSES}",
            "raise the byte budget, or install unmask with its extras: unmask[finetune,export]",
        )
    return {split: _balanced(pool, split, classes, size) for split, size in sizes.items()}


def _fullest(passages: Sequence[Passage], sizes: Mapping[str, int]) -> list[str]:
    """The labels that best fill the split they fill worst; equal ones by name."""
    counts = Counter((each.label, each.split) for each in set(passages))
    fill = {
        name: min(counts[name, split] / size for split, size in sizes.items())
        for name in {each.label for each in passages}
    }
    return sorted(fill, key=lambda name: (-fill[name], name))[:CLASSES]


def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    """Match names as words or parts of dotted ones: `PyTorch`, `scikit learn`, `scikit` too."""
    words = []
    for name in sorted(names, key=len, reverse=True):
        head, *tail = map(re.escape, re.split(r"[-_.]+", name.strip("_")))
        words.append(head + "".join(f"(?:[-_. ]?{word})?" for word in tail))
    letter = r"[^\W_]"
    return re.compile(rf"(?<!{letter})(?:py)?(?:{'|'.join(words)})(?!{letter})", re.IGNORECASE)


def _distinct(passages: Iterable[Passage], names: re.Pattern[str]) -> Iterator[Passage]:
    """Blank the names; drop what an earlier split has already, identifiers and digits aside."""
    order = ["pretraining", *PASSAGES]
    seen: set[str] = set()
    for passage in sorted(passages, key=lambda passage: order.index(passage.split)):
        text = names.sub("it", passage.text)
        key = " ".join(re.findall(r"\b[a-z]{3,}\b", text))
        if key not in seen:
            seen.add(key)
            yield dataclasses.replace(passage, text=text)


def _balanced(
    pool: Sequence[Passage], split: str, classes: Sequence[str], size: int
) -> list[Passage]:
    room = dict.fromkeys(classes, size // len(classes))
    taken = []
    for passage in pool:
        if passage.split == split and room.get(passage.label, 0):
            room[passage.label] -= 1
            taken.append(passage)
    return taken


def _is_prose(line: str) -> bool:
    """Whole sentences; not code, a table, a heading, an item or the description of a parameter."""
    return bool(SENTENCES.fullmatch(line)) and not ITEM.match(line) and not PARAMETER.match(line)
