"""Which layers hand a part of their input's outliers over to their weights, and how much of it.

Legend: S rows of a sample, I width of a layer's input, O of its output.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from unmask.core.progress import bar
from unmask.export.config import PERCENTILE, Method
from unmask.export.graph.layers import numpy
from unmask.export.int8.fake import product
from unmask.export.int8.observed import Floats, Observed
from unmask.export.int8.plan import LEVELS, Quantised
from unmask.export.int8.ranges import limits, step
from unmask.export.int8.sites import Model, sites

ALPHAS = (0.25, 0.5, 0.65, 0.8)
"""How much of an outlier goes over to the weights: 0 none, 1 all of it."""
WORTH = 0.75
"""A migration costs a multiplication: it has to leave less than this share of the error."""


def plan(
    model: Model,
    seen: Mapping[str, Observed],
    method: Method = "percentile",
    percentile: float = PERCENTILE,
    *,
    levels: int = LEVELS,
    dynamic: bool = False,
) -> dict[str, Quantised]:
    """Say of each site that was seen how it is computed in 8 bits.

    Its migration is the one of those tried that changes the layer's output least on real inputs.
    With dynamic, inputs get no scale: it is found anew for every batch. The method counts for
    static ones alone.
    """
    layers, maker = sites(model), _Maker(method, percentile, levels, dynamic)
    found = {}
    with torch.inference_mode(), bar("plan", len(seen)) as progress:
        for name, observed in seen.items():
            found[name] = _least_error(maker, layers[name], observed)
            progress.advance()
    return found


def migration(absmax_I: Floats, weight_OI: Floats, alpha: float) -> Floats:
    """By what each channel is divided: max|X_j|^alpha / max|W_j|^(1 - alpha).

    Xiao et al. 2023, SmoothQuant, equation 4; times a number, the same for all channels, that
    makes their geometric mean 1. A channel whose inputs or weights are all 0 stays as it is.
    """
    weight_I = np.abs(weight_OI).max(0)
    alive_I = (absmax_I > 0) & (weight_I > 0)
    share_I = np.zeros(len(absmax_I))
    share_I[alive_I] = alpha * np.log(absmax_I[alive_I].astype(np.float64))
    share_I[alive_I] -= (1 - alpha) * np.log(weight_I[alive_I].astype(np.float64))
    share_I[alive_I] -= share_I[alive_I].mean() if alive_I.any() else 0.0
    return np.exp(share_I).astype(np.float32)


@dataclasses.dataclass(frozen=True, slots=True)
class _Maker:
    """How a site is made from what was seen of its input."""

    method: Method
    percentile: float
    levels: int
    dynamic: bool

    def __call__(self, observed: Observed, migration_I: Floats | None) -> Quantised:
        """Make a site whose input was seen after the migration."""
        if self.dynamic:
            return Quantised(None, levels=self.levels, migration_I=migration_I)
        scale, zero = step(*limits(observed, self.method, self.percentile))
        return Quantised(scale, zero, self.levels, migration_I)


def _least_error(maker: _Maker, layer: nn.Linear, observed: Observed) -> Quantised:
    """The site whose output is nearest to that of float on the sample."""
    rows_SI = torch.from_numpy(observed.sample_SI).to(layer.weight.device)
    exact_SO = F.linear(rows_SI, layer.weight)

    def error(site: Quantised) -> float:
        return float((product(layer, rows_SI, site) - exact_SO).square().sum())

    # Ranges of what is migrated are read off the sample; so is the other's, to be fair to both.
    same_I = np.ones(len(observed.low_I), np.float32)
    plain = error(maker(observed.migrated(same_I), None))
    weight_OI = numpy(layer.weight)
    tried = [migration(observed.absmax_I, weight_OI, alpha) for alpha in ALPHAS]
    migrated = [maker(observed.migrated(one_I), one_I) for one_I in tried]
    errors = [error(site) for site in migrated]
    if min(errors) < WORTH * plain:
        return migrated[int(np.argmin(errors))]
    return maker(observed, None)
