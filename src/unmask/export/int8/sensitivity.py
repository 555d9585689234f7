"""Which layers an answer suffers from most when they are computed in 8 bits.

Legend: I width of a layer's input; ... any shape.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from unmask.core.progress import bar
from unmask.export.int8.calibration import answering, device_of
from unmask.export.int8.damage import answers, damages
from unmask.export.int8.fake import product, rounded
from unmask.export.int8.plan import Quantised
from unmask.export.int8.sites import Model, intercepted, sites
from unmask.finetune.forward import TOKENS_PER_BATCH
from unmask.finetune.inputs import Maker
from unmask.finetune.sequences import Sequences
from unmask.tokenizer.batch import by_length

LEAST_SIZE = 1e-30
"""So that a layer which only ever gives 0 has a share, too."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sensitivity:
    """What it costs to compute one layer in 8 bits, and all others in float."""

    site: str
    damage: float
    """How far the model's answers move, on average: see `damage.damages`."""
    output_error: float
    """Squared error of the layer's own output, as a share of its square; without the bias."""


def ranked(
    model: Model, plan: Mapping[str, Quantised], sequences: Sequences, maker: Maker
) -> list[Sensitivity]:
    """Try each site of the plan alone on the sequences: the one that does most damage first."""
    assert len(sequences), "there is something to answer"
    layers, sums = sites(model), {site: _Sums() for site in plan}

    def measure(site: str, value: Tensor) -> Tensor:
        if site in plan:
            exact = F.linear(value, layers[site].weight)
            change = product(layers[site], value, plan[site]) - exact
            sums[site].error += float(change.square().sum())
            sums[site].size += float(exact.square().sum())
        return value

    groups = by_length(sequences.lengths_N.tolist(), TOKENS_PER_BATCH)
    with answering(model), bar("sensitivity", len(groups) * len(plan)) as progress:
        for group in groups:
            inputs = maker(sequences, np.array(group)).to(device_of(model))
            with intercepted(model, measure):
                float_NC = answers(model, inputs)
            for site, quantised in plan.items():
                with rounded(model, {site: quantised}):
                    found_NC = answers(model, inputs)
                moved_N = damages(model, inputs, float_NC, found_NC)
                sums[site].moved += float(moved_N.sum())
                sums[site].answers += len(moved_N)
                progress.advance()
    found = [
        Sensitivity(site, one.moved / one.answers, one.error / one.size)
        for site, one in sums.items()
    ]
    return sorted(found, key=lambda one: -one.damage)


@dataclasses.dataclass(slots=True)
class _Sums:
    """Over all batches, of one site."""

    moved: float = 0.0
    answers: int = 0
    error: float = 0.0
    size: float = LEAST_SIZE
