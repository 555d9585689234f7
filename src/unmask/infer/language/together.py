"""Fill the masks of a text so that they go together, by beam search from left to right.

K kept fillings, T target words.
"""

import dataclasses
from collections.abc import Sequence
from itertools import accumulate

from unmask.core.progress import bar
from unmask.infer.language import masks
from unmask.infer.language.fill import CANDIDATES, among
from unmask.infer.language.masks import Masked
from unmask.infer.language.model import Ints, LanguageModel
from unmask.infer.language.rows import Row
from unmask.infer.language.splicing import spliced
from unmask.tokenizer.tokenizer import Tokenizer

BEAM = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Filling:
    """One token for every mask of a text."""

    text: str
    """The text with them."""
    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    log_probability: float
    """Sum over the masks of log p (nats), those to the left filled, those to the right masks.

    A pseudo-joint probability: another order of filling would give another one.
    """


@dataclasses.dataclass(frozen=True, slots=True)
class _Beam:
    """The first masks of a text, filled."""

    ids: tuple[int, ...] = ()
    score: float = 0.0


def fill_together(
    model: LanguageModel,
    texts: Sequence[str],
    *,
    top_k: int = CANDIDATES,
    targets: Sequence[str] | None = None,
    beam: int = BEAM,
) -> list[tuple[Filling, ...]]:
    """Give the likeliest fillings of all masks of each text, the likeliest first.

    Masks are filled from left to right; the model runs again for each, and the `beam` best
    beginnings go on (at least `top_k`). With `targets` only those words are candidates. A text
    with one mask gets what `fill` gives.
    """
    texts_masked = masks.find(model.tokenizer, texts, model.max_length)
    among_QT = None if targets is None else among(model.tokenizer, texts_masked, targets)
    counts = [len(masked.gaps) for masked in texts_masked]
    firsts = list(accumulate(counts, initial=0))[:-1]
    beams: list[list[_Beam]] = [[_Beam()] for _ in texts_masked]
    with bar("filling masks", sum(counts)) as shown:
        for step in range(max(counts, default=0)):
            live = [number for number, count in enumerate(counts) if count > step]
            allowed = None if among_QT is None else among_QT[[firsts[n] + step for n in live]]
            grown = _grown(
                model,
                [texts_masked[number] for number in live],
                [beams[number] for number in live],
                max(beam, top_k),
                allowed,
            )
            for number, kept in zip(live, grown, strict=True):
                beams[number] = kept
            shown.advance(len(live))
    return [
        tuple(_filling(model.tokenizer, masked, end) for end in kept[:top_k])
        for masked, kept in zip(texts_masked, beams, strict=True)
    ]


def _grown(
    model: LanguageModel,
    texts: Sequence[Masked],
    beams: Sequence[Sequence[_Beam]],
    width: int,
    among_T: Ints | None,
) -> list[list[_Beam]]:
    """Fill the next mask of each beginning and keep the best for each text."""
    owners = [number for number, kept in enumerate(beams) for _ in kept]
    begun = [beginning for kept in beams for beginning in kept]
    rows = [_asked(texts[owner], item) for owner, item in zip(owners, begun, strict=True)]
    found = model.best(rows, width, None if among_T is None else among_T[owners])
    grown: list[list[_Beam]] = [[] for _ in beams]
    for owner, item, best in zip(owners, begun, found, strict=True):
        grown[owner] += [
            _Beam((*item.ids, int(id_)), item.score + float(score))
            for id_, score in zip(best.ids_NK[0], best.log_probability_NK[0], strict=True)
        ]
    return [sorted(items, key=lambda item: -item.score)[:width] for items in grown]


def _asked(masked: Masked, begun: _Beam) -> Row:
    """Ask for the first mask that is not filled."""
    place_N = masked.row.places_N[len(begun.ids) : len(begun.ids) + 1]
    return Row(masked.filled(begun.ids), place_N)


def _filling(tokenizer: Tokenizer, masked: Masked, end: _Beam) -> Filling:
    tokens = tuple(tokenizer.decode([id_], skip_special_tokens=False) for id_ in end.ids)
    return Filling(spliced(tokenizer, masked, end.ids), end.ids, tokens, end.score)
