"""The format `line` (run_mlm's `--line_by_line`, fairseq's `--sample-break-mode eos`).

    <s> sentence </s>

One sentence, one block; a batch holds more of them, for as many tokens as full blocks would have.
A sentence longer than a block becomes several (run_mlm cuts off what is too long); nothing is
dropped.
"""

from unmask.tokens.plans.runs import Cuts, Format
from unmask.tokens.plans.stream import Separators, Stream, pieces


def cut(stream: Stream, budget: int) -> Cuts:
    """Make a block of every piece."""
    found = pieces(stream, longest=budget - 1)
    return Cuts(found.lo_P, found.hi_P, found.cut)


LINE = Format(Separators(before=0, after=1, document=0), cut, balanced=True)
