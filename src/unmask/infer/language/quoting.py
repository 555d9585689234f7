"""Texts in messages: in quotes, and not at length."""

SHOWN = 40
"""Characters of a text in a message."""


def quoted(text: str) -> str:
    """Quote a text, or its beginning."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 3] + "...")
