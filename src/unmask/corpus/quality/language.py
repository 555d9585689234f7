"""Which language a text is in, by py3langid, which brings its own model (the extra `language`)."""

import functools
from collections.abc import Iterable
from typing import Any

from unmask.core.errors import UserError

JUDGED_CHARACTERS = 2000
"""A text is judged by its beginning: more hardly changes the answer and takes far longer."""


def guess(text: str) -> tuple[str, float]:
    """Give the likeliest language (ISO 639-1 code) and its probability."""
    code, probability = _identifier().classify(text[:JUDGED_CHARACTERS])
    return str(code), float(probability)


def require(codes: Iterable[str]) -> None:
    """See that these languages can be told apart; UserError for a missing extra or a wrong code."""
    known = _identifier().labels
    for code in codes:
        if code not in known:
            raise UserError(
                f"--filters.languages {code}: no such language",
                f"known are {' '.join(sorted(known))}",
            )


@functools.cache
def _identifier() -> Any:  # noqa: ANN401 (py3langid is an extra and may be absent)
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise UserError(
            "--filters.languages needs py3langid", "pip install 'unmask[language]'"
        ) from None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
