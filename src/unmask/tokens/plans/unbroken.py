"""The format `none` (fairseq's `--sample-break-mode none`).

    <s> end of a sentence </s> sentence </s> beginning of a

The stream of FULL-SENTENCES cut every L - 1 places, wherever that is, behind a `<s>`. Only the last
block of a shard is shorter; sentences are cut where they meet the end of a block, and nothing is
dropped.
"""

import numpy as np

from unmask.tokens.format import Ints
from unmask.tokens.plans.runs import Cuts, Format
from unmask.tokens.plans.stream import Separators, Stream


def cut(stream: Stream, budget: int) -> Cuts:
    """Cut every so many places; the separator after the last document of a shard is left out."""
    end = int(stream.place_U[-1]) - stream.separators.document
    lo_B = np.arange(0, end, budget)
    hi_B = np.minimum(lo_B + budget, end)
    return Cuts(lo_B, hi_B, sentences_cut=sentences_parted(stream, hi_B[:-1]))


def sentences_parted(stream: Stream, place_N: Ints) -> int:
    """Count the sentences that an edge parts: some tokens before it, some after."""
    unit_N = np.minimum(stream.unit(place_N), len(stream.tokens_U) - 1)
    before_N = stream.tokens_before(place_N, unit_N) - stream.token_U[unit_N]
    parted_N = (before_N > 0) & (before_N < stream.tokens_U[unit_N])
    return len(np.unique(unit_N[parted_N]))


UNBROKEN = Format(Separators(before=0, after=1, document=1), cut)
