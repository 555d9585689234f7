"""The numbers of GPT-2's tokens, which its merges alone decide."""

import hashlib
import json
from itertools import chain

import tokenizers

from unmask.tokenizer.byte_letters import BYTE_OF
from unmask.tokenizer.tokenizer import Tokenizer

MERGES = 50_000
MERGES_SHA256 = "04e3597d7996f292ca9b8b7285ca4d58a6ae171ac47d73fc7140ceb0c7a6bbc0"
"""Of the lines of `vocab.bpe` after its first, joined by line feeds."""
END = "<|endoftext|>"


def tokens(tokenizer: Tokenizer) -> dict[str, str] | None:
    """The token of each number in `encoder.json`, written as in `dict.txt`; None if not GPT-2's.

    The letters of the 256 bytes come first, then what each merge makes, then the end of a text
    (openai/gpt-2, src/encoder.py). A tokenizer that learnt on has GPT-2's merges, and more.
    """
    settings = json.loads(tokenizers.Tokenizer.from_str(tokenizer.json).to_str())  # today's form
    merges = settings["model"].get("merges", [])[:MERGES]
    lines = "\n".join(map(" ".join, merges))
    if hashlib.sha256(lines.encode()).hexdigest() != MERGES_SHA256:
        return None
    ordered = chain(map(chr, BYTE_OF), map("".join, merges), [END])
    return {str(number): token for number, token in enumerate(ordered)}
