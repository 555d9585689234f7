"""Which split a document belongs to: a pure function of its text."""

import hashlib
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "valid"]

SPLITS: tuple[Split, ...] = ("train", "valid")


def fingerprint(text: str) -> bytes:
    """Hash a cleaned text: sha256 over its UTF-8 bytes."""
    return hashlib.sha256(text.encode()).digest()


def side(digest: bytes, valid_fraction: float) -> Split:
    """Choose the split by the last 64 bits of the fingerprint, as the first are the id.

    What else is in the corpus plays no part, so a document stays where it is when the corpus grows.
    """
    draw = int.from_bytes(digest[-8:], "big") / 2**64
    return "valid" if draw < valid_fraction else "train"
