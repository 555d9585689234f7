"""What is particular to each task of GLUE.

Columns, splits and the words of a submission are those of the official files; label names and
their order are those under which the tasks are published for transformers.
"""

import dataclasses
import difflib

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: one text or two, and a class or a number to be told of them."""

    name: str
    folder: str
    """Its folder in the official download, and its file in a submission."""
    text: str
    pair: str | None = None
    label: str = "label"
    index: str = "index"
    """Columns of the two texts, of the label, and of the number of a row to be predicted."""
    labels: tuple[str, ...] = ()
    """Names of the classes, in order; none for a number."""
    written: tuple[str, ...] = ()
    """The classes as the files and submissions have them, in the same order."""
    range: tuple[float, float] | None = None
    """The smallest and the largest number; None for classes."""
    metrics: tuple[str, ...] = ("accuracy",)
    """Scores as papers report them; the first is the one to choose a model by."""
    parts: tuple[str, ...] = ()
    """What dev and test consist of, where it is several files."""
    stems: tuple[str, ...] = ("{split}",)
    """Names of a split's file without their ending, the preferred first."""
    headerless: tuple[str, ...] = ()
    """Columns of files without a header."""
    unlabelled: str | None = None
    """What stands for the label where the annotators did not agree."""
    torn: bool = False
    """The official file has rows with missing cells, which every published score leaves out."""


_ENTAILMENT = ("entailment", "not_entailment")
_DIGITS = ("0", "1")

TASKS = (
    Task(
        name="cola",
        folder="CoLA",
        text="sentence",
        labels=("unacceptable", "acceptable"),
        written=_DIGITS,
        metrics=("mcc",),
        headerless=("source", "label", "mark", "sentence"),
    ),
    Task(
        name="sst2",
        folder="SST-2",
        text="sentence",
        labels=("negative", "positive"),
        written=_DIGITS,
    ),
    Task(
        name="mrpc",
        folder="MRPC",
        text="#1 String",
        pair="#2 String",
        label="Quality",
        labels=("not_equivalent", "equivalent"),
        written=_DIGITS,
        metrics=("accuracy", "f1"),
        stems=("{split}", "msr_paraphrase_{split}"),
    ),
    Task(
        name="stsb",
        folder="STS-B",
        text="sentence1",
        pair="sentence2",
        label="score",
        range=(0.0, 5.0),
        metrics=("pearson", "spearmanr"),
        stems=("{split}", "stsb-en-{split}"),
        headerless=("sentence1", "sentence2", "score"),
    ),
    Task(
        name="qqp",
        folder="QQP",
        text="question1",
        pair="question2",
        label="is_duplicate",
        index="id",
        labels=("not_duplicate", "duplicate"),
        written=_DIGITS,
        metrics=("accuracy", "f1"),
        torn=True,
    ),
    Task(
        name="mnli",
        folder="MNLI",
        text="sentence1",
        pair="sentence2",
        label="gold_label",
        labels=("entailment", "neutral", "contradiction"),
        written=("entailment", "neutral", "contradiction"),
        parts=("matched", "mismatched"),
        unlabelled="-",
    ),
    Task(
        name="qnli",
        folder="QNLI",
        text="question",
        pair="sentence",
        labels=_ENTAILMENT,
        written=_ENTAILMENT,
    ),
    Task(
        name="rte",
        folder="RTE",
        text="sentence1",
        pair="sentence2",
        labels=_ENTAILMENT,
        written=_ENTAILMENT,
    ),
    Task(
        name="wnli",
        folder="WNLI",
        text="sentence1",
        pair="sentence2",
        labels=("not_entailment", "entailment"),
        written=_DIGITS,
    ),
)


def task(name: str) -> Task:
    """Find a task by its name, as `sst2` or as its folder is called; UserError for another."""
    plain = name.lower().replace("-", "").replace("_", "")
    known = {one.name: one for one in TASKS}
    if plain in known:
        return known[plain]
    near = difflib.get_close_matches(plain, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
    raise UserError(f"{name}: no task of GLUE", hint)
