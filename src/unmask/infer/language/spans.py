"""How likely a part of a text is, all its tokens hidden at once.

N tokens of the part.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.quoting import quoted
from unmask.infer.language.rows import Row

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, by its characters."""

    text: str
    start: int
    stop: int


def span_scores(model: LanguageModel, spans: Sequence[Span]) -> list[float]:
    """Give the mean log p (nats) over the tokens of each span, all of them masks at once.

    As fairseq scores candidates of Winograd schemas (examples/roberta/wsc/wsc_task.py). Spans
    with unknown tokens are counted and said. UserError for a span without a token, and for a text
    longer than the model reads.
    """
    encodings = model.tokenizer.encode([span.text for span in spans])
    rows, targets = [], []
    for span, encoding in zip(spans, encodings, strict=True):
        ids_L, places_N = np.array(encoding.ids, np.int64), _places(span, encoding, model)
        targets.append(ids_L[places_N])
        ids_L[places_N] = model.tokenizer.mask_id
        rows.append(Row(ids_L, places_N))
    _say_unknown(model, targets)
    with bar("scoring", len(rows)) as shown:
        return [
            float(log_N.mean()) for log_N in model.log_probabilities(rows, targets, shown.advance)
        ]


def _places(span: Span, encoding: Encoding, model: LanguageModel) -> Ints:
    if len(encoding) > model.max_length:
        raise UserError(
            f"text {quoted(span.text)}: {len(encoding)} tokens, and the model reads at most "
            f"{model.max_length}",
            "cut the text around the part that is asked about",
        )
    start_L, stop_L = np.array(encoding.offsets, np.int64).T
    # In byte-level BPE the space before a word is the word's, even where it is a token of its own.
    first = span.start - (span.text[: span.start][-1:] == " ")
    inside_L = (start_L < span.stop) & (stop_L > first)
    if not inside_L.any():
        part = span.text[span.start : span.stop]
        raise UserError(
            f"text {quoted(span.text)}: {part!r} in it is no token", "give a part with letters"
        )
    return np.flatnonzero(inside_L)


def _say_unknown(model: LanguageModel, targets: Sequence[Ints]) -> None:
    unk_id = model.tokenizer.unk_id
    unknown = sum(bool((target_N == unk_id).any()) for target_N in targets)
    if unknown:
        say(f"{unknown:,} candidates are scored as {model.tokenizer.token(unk_id)}, in part or all")
