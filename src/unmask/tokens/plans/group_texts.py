"""The format `hf`: what transformers' run_mlm makes of text, for comparison.

    end of a sentence </s><s> sentence </s><s> beginning of a

Each sentence stands between `<s>` and `</s>`; a thousand of them are joined and cut every L
places, wherever that is, and what is left over of each thousand is dropped: `group_texts` in
transformers' examples/pytorch/language-modeling/run_mlm.py, at the batch size of `datasets.map`.
A block seldom begins with `<s>`. The report says how many tokens are dropped.
"""

import numpy as np

from unmask.tokens.plans.runs import Cuts, Format
from unmask.tokens.plans.stream import Separators, Stream
from unmask.tokens.plans.unbroken import sentences_parted

GROUP = 1000
"""Sentences that are joined before they are cut: the default batch size of `datasets.map`."""


def cut(stream: Stream, budget: int) -> Cuts:
    """Cut every group into as many whole blocks as it gives."""
    sentence_S = np.flatnonzero(stream.tokens_U)
    first_G = stream.place_U[sentence_S[::GROUP]]
    end_G = np.append(first_G[1:], stream.place_U[-1])
    blocks_G = (end_G - first_G) // budget
    group_B = np.repeat(np.arange(len(blocks_G)), blocks_G)
    number_B = np.arange(len(group_B)) - (np.cumsum(blocks_G) - blocks_G)[group_B]
    lo_B = first_G[group_B] + number_B * budget
    hi_B = lo_B + budget
    return Cuts(lo_B, hi_B, sentences_parted(stream, hi_B))


GROUP_TEXTS = Format(Separators(before=1, after=1, document=0), cut, head=False)
