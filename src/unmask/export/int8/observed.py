"""What has been seen of the input of one layer, in constant memory.

Legend: R rows that come, S rows that are kept, I width of a layer's input.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from unmask.export.int8.histogram import Histogram

SAMPLE = 512
"""Rows that are kept of each input."""

Floats = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True)
class Observed:
    """The range of a layer's input, how it is spread, and a sample of its rows."""

    rows: int
    """Tokens that were seen."""
    low_I: Floats
    """The least of each channel; infinity while nothing was seen."""
    high_I: Floats
    histogram: Histogram
    """Of all channels together."""
    sample_SI: Floats
    """Rows drawn evenly out of all that came, in the order in which they came."""
    lots_S: npt.NDArray[np.uint64]
    """The lot of each of them; the rows with the lowest lots are kept."""

    @classmethod
    def empty(cls, width: int) -> "Observed":
        """Nothing was seen yet of an input of this width."""
        return cls(
            rows=0,
            low_I=np.full(width, np.inf, np.float32),
            high_I=np.full(width, -np.inf, np.float32),
            histogram=Histogram.empty(),
            sample_SI=np.zeros((0, width), np.float32),
            lots_S=np.zeros(0, np.uint64),
        )

    @property
    def low(self) -> float:
        """The least number that was seen."""
        return float(self.low_I.min())

    @property
    def high(self) -> float:
        """The largest number that was seen."""
        return float(self.high_I.max())

    @property
    def absmax_I(self) -> Floats:  # noqa: N802
        """The largest magnitude of each channel."""
        return np.maximum(-self.low_I, self.high_I)

    def added(self, values_RI: Tensor) -> "Observed":
        """What has been seen together with some more rows; they have to be finite."""
        if not len(values_RI):
            return self
        low_I, high_I = (one.float().cpu().numpy() for one in torch.aminmax(values_RI, dim=0))
        # The n-th row has the same lot at every site, so all of them sample the same tokens.
        lots = np.concatenate([self.lots_S, _lots(self.rows, len(values_RI))])
        kept = np.sort(np.argsort(lots, kind="stable")[:SAMPLE])
        old, new = kept[kept < len(self.lots_S)], kept[kept >= len(self.lots_S)]
        fresh = values_RI[torch.from_numpy(new - len(self.lots_S)).to(values_RI.device)]
        return Observed(
            rows=self.rows + len(values_RI),
            low_I=np.minimum(self.low_I, low_I),
            high_I=np.maximum(self.high_I, high_I),
            histogram=self.histogram.added(values_RI),
            sample_SI=np.concatenate([self.sample_SI[old], fresh.float().cpu().numpy()]),
            lots_S=lots[kept],
        )

    def migrated(self, migration_I: Floats) -> "Observed":
        """What would have been seen had each channel been divided by its number.

        The range of each channel is exact. The histogram is that of the sample, as the sum over
        all channels cannot be taken apart again.
        """
        shrink_I = np.reciprocal(migration_I)
        sample_SI = self.sample_SI * shrink_I
        return dataclasses.replace(
            self,
            low_I=self.low_I * shrink_I,
            high_I=self.high_I * shrink_I,
            histogram=Histogram.empty().added(torch.from_numpy(sample_SI)),
            sample_SI=sample_SI,
        )


def _lots(first: int, count: int) -> npt.NDArray[np.uint64]:
    """Scatter the numbers from `first` on over all of 64 bits (splitmix64, Steele et al. 2014).

    Every n-th row would not do: where texts are of one length it could be their first token always.
    """
    lots = np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    lots = (lots ^ (lots >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    lots = (lots ^ (lots >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return lots ^ (lots >> np.uint64(31))
