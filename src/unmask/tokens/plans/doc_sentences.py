"""The DOC-SENTENCES format (RoBERTa, section 4.2; fairseq's `--sample-break-mode complete_doc`).

    <s> sentence </s> sentence </s>

As FULL-SENTENCES, but a block ends with its document. So the last block of a document is as short
as what is left of it, and a batch holds more blocks, for as many tokens as full ones would have.
A sentence longer than a block is cut into pieces that fit; nothing is dropped.
"""

import numpy as np

from unmask.tokens.plans.runs import Cuts, Format
from unmask.tokens.plans.stream import Separators, Stream, fill, pieces


def cut(stream: Stream, budget: int) -> Cuts:
    """Fill blocks with sentences of one document."""
    found = pieces(stream, longest=budget - 1)
    end_of_document_P = np.searchsorted(found.document_P, found.document_P, side="right")
    return Cuts(*fill(found, budget, end_of_document_P), found.cut)


DOC_SENTENCES = Format(Separators(before=0, after=1, document=0), cut, balanced=True)
