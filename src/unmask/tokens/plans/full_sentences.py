"""The FULL-SENTENCES format (RoBERTa, section 4.2; fairseq's `--sample-break-mode complete`).

    <s> sentence </s> sentence </s> </s> first sentence of the next document </s>

Whole sentences in their order fill a block until the next one does not fit; blocks may cross
documents, and there one more separator stands between them. A sentence longer than a block is cut
into pieces that fit (fairseq skips it); nothing is dropped. Blocks do not cross shards.
"""

from unmask.tokens.plans.runs import Cuts, Format
from unmask.tokens.plans.stream import Separators, Stream, fill, pieces


def cut(stream: Stream, budget: int) -> Cuts:
    """Fill blocks with sentences."""
    found = pieces(stream, longest=budget - 1)
    return Cuts(*fill(found, budget), found.cut)


FULL_SENTENCES = Format(Separators(before=0, after=1, document=1), cut)
