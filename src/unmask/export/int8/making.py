"""A model in 8 bits: calibrated, its layers ranked, the worst put back until the score holds."""

import dataclasses
from collections.abc import Callable

import numpy as np

from unmask.core.progress import say
from unmask.export.config import ExportConfig
from unmask.export.graph.heads import Exported
from unmask.export.int8.calibration import observe
from unmask.export.int8.levels import levels_here
from unmask.export.int8.migration import plan
from unmask.export.int8.search import Found, Limits, Plan, search
from unmask.export.int8.sensitivity import Sensitivity, ranked
from unmask.export.int8.sites import sites, work
from unmask.finetune.inputs import Maker
from unmask.finetune.sequences import Sequences, counted

RANKED_TOKENS = 4096
"""Of the texts on which the layers are ranked: each layer of the model reads them once."""
LEAST_RANKED = 8
"""Texts, however long they are."""


@dataclasses.dataclass(frozen=True, slots=True)
class EightBits:
    """What was done, for the contract."""

    found: Found
    ranking: list[Sensitivity]
    levels: int
    texts: int
    """Of the calibration."""


def make(
    model: Exported,
    texts: Sequences,
    maker: Maker,
    config: ExportConfig,
    metric: str,
    drop_of: Callable[[Plan], float],
) -> EightBits:
    """Bring a model to 8 bits; `drop_of` exports a plan and tells the points it loses."""
    how = config.int8
    texts = drawn(texts, how.texts)
    levels = levels_here()
    seen = observe(model, texts, maker)
    whole = plan(
        model,
        seen,
        how.range,
        how.percentile,
        levels=levels,
        dynamic=how.activations == "dynamic",
    )
    ranking = ranked(model, whole, _some(texts), maker)
    say(f"most sensitive layer: {ranking[0].site}")
    found = search(
        whole,
        [one.site for one in ranking],
        {name: work(layer) for name, layer in sites(model).items()},
        drop_of,
        Limits(config.max_drop, how.least_share, metric),
    )
    return EightBits(found, ranking, levels, len(texts))


def _some(texts: Sequences) -> Sequences:
    mean = len(texts.ids_T) / len(texts)
    return drawn(texts, max(LEAST_RANKED, int(RANKED_TOKENS / mean)))


def drawn(sequences: Sequences, most: int) -> Sequences:
    """Take some sequences, evenly over all of them."""
    if len(sequences) <= most:
        return sequences
    index_B = np.linspace(0, len(sequences) - 1, most).astype(np.int64)
    lengths_B = sequences.lengths_N[index_B]
    token_T = counted(sequences.starts_N1[index_B], lengths_B)
    return Sequences(
        sequences.ids_T[token_T],
        sequences.types_T[token_T],
        np.concatenate([[0], lengths_B.cumsum()]),
    )
