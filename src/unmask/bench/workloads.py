"""What is computed: batches of one length, and real sentences of many.

Legend: N sequences, T tokens of all of them, Q different inputs, B batch, L length.
"""

import dataclasses
import random
from pathlib import Path

import numpy as np

from unmask.bench.config import BenchConfig
from unmask.core.errors import UserError
from unmask.corpus.inputs.sources import suffixes
from unmask.finetune import table
from unmask.finetune.data_config import ColumnsConfig
from unmask.finetune.packed import text as text_of
from unmask.finetune.sequences import Ints, Sequences
from unmask.infer.backend import max_length
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.tokenizer.tokenizer import Tokenizer

DIFFERENT = 4
"""Different inputs of a fixed shape, so that no cache holds the answer's whole way."""
SENTENCES = 64
"""Sentences of all inputs of a ragged case together, or of one where it takes more."""
MEDIAN, SIGMA, SHORTEST, LONGEST = 24.0, 0.67, 4, 128
"""Lengths of sentences in tokens: log-normal, mean 30 (the median is that of English news)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure."""

    name: str
    inputs: tuple[Sequences, ...]
    """The sequences of each request."""
    ragged: bool
    """Whether sequences differ in length, and whoever runs them makes batches as it likes."""

    @property
    def batch(self) -> int:
        """Sequences of a request."""
        return len(self.inputs[0])

    @property
    def lengths(self) -> Ints:
        """Tokens of every sequence."""
        return np.concatenate([one.lengths_N for one in self.inputs])


def cases(config: BenchConfig) -> list[Case]:
    """Everything that is asked for; UserError for lengths that the model does not read."""
    model = weights.read_config(config.model)
    _refuse_too_long(config)
    found = []
    for number, (batch, length) in enumerate(config.shapes):
        if not config.length:
            length = min(length, max_length(config.model))
        dice = np.random.default_rng((config.seed, number))
        inputs = [drawn(np.full(batch, length), model, dice) for _ in range(DIFFERENT)]
        found.append(Case(f"{batch} x {length}", tuple(inputs), ragged=False))
    if config.ragged is not None:
        found.append(ragged(config, config.ragged, model))
    return found


def ragged(config: BenchConfig, batch: int, model: ModelConfig) -> Case:
    """Requests of so many sentences: real ones where there are texts, else drawn as long."""
    count = max(batch, SENTENCES // batch * batch)
    if config.data is None:
        dice = np.random.default_rng((config.seed, batch, 1))
        sentences = drawn(sentence_lengths(count, max_length(config.model), dice), model, dice)
    else:
        sentences = _encoded(config, config.data, count, batch)
    last = len(sentences) // batch * batch
    groups = tuple(_some(sentences, first, first + batch) for first in range(0, last, batch))
    mean = float(np.mean([length for group in groups for length in group.lengths_N]))
    kind = "sentences" if config.data is not None else "drawn sentences"
    return Case(f"{batch} {kind}, {mean:.0f} tokens on average", groups, ragged=True)


def drawn(lengths_N: Ints, model: ModelConfig, dice: np.random.Generator) -> Sequences:
    """Draw ids over the whole vocabulary, padding left out, as it would be none of the work."""
    total = int(lengths_N.sum())
    ids_T = dice.integers(0, model.vocabulary - 1, total)
    ids_T += ids_T >= model.pad_id
    starts_N1 = np.concatenate([[0], lengths_N.cumsum()])
    return Sequences(ids_T.astype(np.int32), np.zeros(total, np.int8), starts_N1)


def sentence_lengths(count: int, most: int, dice: np.random.Generator) -> Ints:
    """Draw lengths as sentences have them, at most 128 tokens and at most what the model reads."""
    lengths_N = dice.lognormal(np.log(MEDIAN), SIGMA, count).round()
    top = min(LONGEST, most)
    found: Ints = np.clip(lengths_N, min(SHORTEST, top), top).astype(np.int64)
    return found


def texts(path: Path, column: str | None) -> list[str]:
    """Read a .txt of one text a line, or a column of a table; UserError where there is none."""
    if suffixes(path)[0] == ".txt":
        if column is not None:
            raise UserError(
                f"--text-column {column}: {path} is no table", "leave it out, or give a table"
            )
        lines = [line.rstrip("\r") for line in text_of(path).split("\n") if line.strip()]
        if not lines:
            raise UserError(f"{path}: has no texts", "write one a line")
        return lines
    try:
        rows = table.read_texts(path, ColumnsConfig(text=column or "text"))
    except UserError as error:
        if "--columns" not in error.hint:
            raise
        hint = "name the column with --text-column; the first line is a header"
        raise UserError(error.what, hint) from None
    return [row.text for row in rows]


def _encoded(config: BenchConfig, path: Path, count: int, batch: int) -> Sequences:
    """Draw some of a file's texts, the same ones for a seed, and encode them."""
    found = texts(path, config.text_column)
    if len(found) < batch:
        raise UserError(
            f"--ragged {batch}: {path} has {len(found)} texts", "give more texts, or a lower number"
        )
    some = random.Random(config.seed).sample(found, min(count, len(found)))
    encodings = Tokenizer.load(config.model).encode(some, max_length=max_length(config.model))
    return Sequences.of([one.ids for one in encodings], [one.type_ids for one in encodings])


def _some(sequences: Sequences, first: int, last: int) -> Sequences:
    begin, end = sequences.starts_N1[[first, last]]
    return Sequences(
        sequences.ids_T[begin:end],
        sequences.types_T[begin:end],
        sequences.starts_N1[first : last + 1] - begin,
    )


def _refuse_too_long(config: BenchConfig) -> None:
    most = max_length(config.model)
    for length in config.length:
        if length > most:
            raise UserError(
                f"--length {length}: {config.model} reads at most {most} tokens",
                f"give {most} or less",
            )
