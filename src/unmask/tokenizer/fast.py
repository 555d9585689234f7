"""Many lines to ids at once, as fast as it goes with the ids of `Tokenizer.encode_lines`.

Shapes: T tokens of all lines, one line after another; N lines; C chunks of them, D different ones;
R ranks (256 bytes, then merges).

**Chunks.** Lines are cut at spaces over which no pre-token goes (pretokens.py), and each different
chunk is encoded once.

**Merges.** tiktoken merges any two neighbours whose bytes together are a token, tokenizers only the
pairs in its list; tiktoken looks a whole pre-token up before it merges anything. Yet both give the
same ids for every text if (1) no token is the result of two merges and (2) tokenizers encodes the
text of each token as that one token. Take a token t with its merge (L, R), and let the claim hold
for shorter tokens. On the bytes of t alone both go the same way, as long as there are more than two
parts: a candidate of tiktoken shorter than t is, by the claim, a listed pair of the same rank.
Tokenizers comes to t, by (2), and by (1) only over L R; so tiktoken comes over L R to t as well. In
a longer text the parts between two borders that still stand have been merged as they would be
alone, since each step takes the lowest rank of all, the leftmost first. So two neighbours that make
up t are two parts of t alone, which are L and R: the listed pair, no other. And a whole pre-token
that is t ends as t.

**Pre-tokens.** tiktoken and tokenizers may know different versions of Unicode, so its pattern names
the letters, numbers and spaces one by one, as tokenizers tells them. GPT-2's pattern looks ahead at
spaces, for of several spaces before a word the last goes with the word. A mark put before that last
space does the same, and without looking ahead the pattern is a third faster and needs no stack that
a million spaces overflow. Mark and line end are pre-tokens of their own, so nothing in one line
touches the next.
"""

import dataclasses
import functools
import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tiktoken
import tokenizers
from tokenizers import Regex, pre_tokenizers

from unmask.core.errors import UserError
from unmask.tokenizer import pretokens
from unmask.tokenizer.byte_letters import BYTE_OF, LETTERS
from unmask.tokenizer.tokenizer import Tokenizer

Ids = npt.NDArray[np.unsignedinteger[Any]]
IdType = np.dtype[np.unsignedinteger[Any]]

END, MARK = "\n", "\0"
END_RANK, MARK_RANK = ord(END), ord(MARK)  # the rank of a single byte is the byte

INHABITED = (range(0xD800), range(0xE000, 0x40000), range(0xE0000, 0xF0000))
"""Where letters, numbers and spaces can be: planes 4 to 13 are empty, the last two private."""


@dataclasses.dataclass(frozen=True, slots=True)
class Lines:
    """The ids of many lines, and how many of them each line has."""

    ids_T: Ids
    lengths_N: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class ByTokenizers:
    """The way of `Tokenizer.encode_lines`, for every kind of tokenizer."""

    name: ClassVar[str] = "tokenizers"
    tokenizer: Tokenizer

    @property
    def dtype(self) -> IdType:
        """The type of the ids: uint16 if it holds them all, else uint32; little-endian."""
        return np.dtype("<u2" if self.tokenizer.vocabulary <= 1 << 16 else "<u4")

    def __call__(self, lines: Sequence[str]) -> Lines:
        """Encode each line by itself, special tokens as text; UserError on a lone surrogate."""
        try:
            encoded = self.tokenizer.encode_lines(lines)
        except TypeError:
            raise _surrogate(lines) from None
        ids_T = np.fromiter(chain.from_iterable(encoded), self.dtype)
        return Lines(ids_T, np.fromiter(map(len, encoded), np.int64, len(encoded)))


@dataclasses.dataclass(frozen=True, slots=True)
class ByTiktoken:
    """One call of tiktoken for all lines; a text that holds the mark itself goes the other way."""

    name: ClassVar[str] = "tiktoken"
    encoding: tiktoken.Encoding
    ids_R: Ids
    last_space: re.Pattern[str]
    otherwise: ByTokenizers

    @property
    def dtype(self) -> IdType:
        """The type of the ids, as with the other way."""
        return self.ids_R.dtype

    def __call__(self, lines: Sequence[str]) -> Lines:
        """Encode each line by itself, special tokens as text; UserError on a lone surrogate.

        No line may hold a line feed.
        """
        text = END.join(lines)
        if MARK in text:
            return self.otherwise(lines)
        marked = self.last_space.sub(rf"\g<0>{MARK}", text)
        try:
            ranks_T = self.encoding.encode_to_numpy(marked, disallowed_special=())
        except UnicodeEncodeError:
            raise _surrogate(lines) from None
        if marked is not text:
            ranks_T = ranks_T[ranks_T != MARK_RANK]
        is_end_T = ranks_T == END_RANK
        ends = np.flatnonzero(is_end_T)
        assert len(ends) == max(len(lines) - 1, 0), "a line holds a line feed"
        lengths_N = np.diff(ends, prepend=-1, append=len(ranks_T)) - 1
        return Lines(self.ids_R[ranks_T[~is_end_T]], lengths_N[: len(lines)])


@dataclasses.dataclass(frozen=True, slots=True)
class ByChunks:
    """The different chunks of all lines are encoded, each once: text repeats its words."""

    each: ByTiktoken | ByTokenizers

    @property
    def name(self) -> str:
        """The way of the chunks."""
        return self.each.name

    @property
    def dtype(self) -> IdType:
        """The type of the ids, as with the other ways."""
        return self.each.dtype

    def __call__(self, lines: Sequence[str]) -> Lines:
        """Encode each line by itself, as the other ways; no line may hold a line feed."""
        if not lines:
            return self.each(lines)
        try:
            chunks = pretokens.chunks(lines)
        except UnicodeEncodeError:
            raise _surrogate(lines) from None
        assert len(chunks.first_N) == len(lines), "a line holds a line feed"
        table = chunks.strings.dictionary_encode()
        found = self.each(table.dictionary.cast(pa.string()).to_pylist())
        chunk_C = np.frombuffer(table.indices.buffers()[1], np.int32)
        lengths_C = found.lengths_N[chunk_C]
        end_C = np.cumsum(lengths_C)
        end_N = np.append(0, end_C)[np.append(chunks.first_N, len(chunk_C))]
        start_D = np.cumsum(found.lengths_N) - found.lengths_N
        source_T = np.repeat(start_D[chunk_C] - (end_C - lengths_C), lengths_C)
        source_T += np.arange(len(source_T))
        return Lines(found.ids_T[source_T], np.diff(end_N))


LineEncoder = ByChunks | ByTiktoken | ByTokenizers


def line_encoder(tokenizer: Tokenizer) -> LineEncoder:
    """Choose the fastest way that is sure to give the same ids; takes up to a second."""
    slow = ByTokenizers(tokenizer)
    backend = tokenizers.Tokenizer.from_str(tokenizer.json)
    settings = json.loads(backend.to_str())  # written anew, so in today's form
    if not _is_plain(settings):
        return slow
    vocabulary = settings["model"]["vocab"]
    merged = [left + right for left, right in settings["model"]["merges"]]
    if not _is_sound(merged, vocabulary, backend.model):
        return ByChunks(slow)
    tokens = [*LETTERS, *merged]
    letters, numbers, spaces = _classes()
    encoding = tiktoken.Encoding(
        tokenizer.fingerprint,
        pat_str=_pattern(letters, numbers, spaces),
        mergeable_ranks={_bytes(token): rank for rank, token in enumerate(tokens)},
        special_tokens={},
    )
    ids_R = np.array([vocabulary[token] for token in tokens], slow.dtype)
    space = "".join(f"{first}-{last}" for first, last in spaces)
    last_space = re.compile(f"[{space}](?=[{space}][^{space}{END}])")
    return ByChunks(ByTiktoken(encoding, ids_R, last_space, slow))


def _is_plain(settings: dict[str, Any]) -> bool:
    """Tell whether it is RoBERTa's pipeline with nothing about it that only tokenizers does."""
    model, before = settings["model"], settings["pre_tokenizer"]
    return (
        model["type"] == "BPE"
        and not model["dropout"]
        and not model["ignore_merges"]
        and not model["continuing_subword_prefix"]
        and not model["end_of_word_suffix"]
        and settings["normalizer"] is None
        and before["type"] == "ByteLevel"
        and before["use_regex"]
        and not before["add_prefix_space"]
        and all(token["special"] for token in settings["added_tokens"])
    )


def _is_sound(merged: list[str], vocabulary: dict[str, int], model: tokenizers.models.BPE) -> bool:
    """Tell whether merges stand for bytes, and the two conditions on them hold."""
    alphabet = {chr(code) for code in BYTE_OF}
    return (
        alphabet.issuperset("".join(merged))
        and len(set(merged)) == len(merged)
        and all(
            [part.id for part in model.tokenize(token)] == [vocabulary[token]] for token in merged
        )
    )


def _bytes(token: str) -> bytes:
    return token.translate(BYTE_OF).encode("latin-1")


@functools.cache
def _classes() -> list[list[tuple[str, str]]]:
    """List the letters, numbers and spaces (no line end) of tokenizers, as first and last ones."""
    everything = "".join(map(chr, chain(*INHABITED))).replace(END, MARK)
    runs = _find(r"\p{L}+|\p{N}+|\s+", everything)
    classes = (r"\p{L}", r"\p{N}", r"\s")
    firsts = [set(_find(one, "".join(run[0] for run in runs))) for one in classes]
    return [[(run[0], run[-1]) for run in runs if run[0] in first] for first in firsts]


def _find(pattern: str, text: str) -> list[str]:
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    return [found for found, _ in split.pre_tokenize_str(text)]


def _pattern(*classes: list[tuple[str, str]]) -> str:
    """Write GPT-2's pattern for text in which the mark is set."""
    letters, numbers, spaces = (
        "".join(rf"\x{{{ord(first):x}}}-\x{{{ord(last):x}}}" for first, last in one)
        for one in classes
    )
    return (
        rf"[\n\x00]|'(?:[sdmt]|ll|ve|re)| ?[{letters}]+| ?[{numbers}]+"
        rf"| ?[^{letters}{numbers}{spaces}\n\x00]+|[{spaces}]+"
    )


def _surrogate(lines: Sequence[str]) -> UserError:
    found = re.search("[\ud800-\udfff]", END.join(lines))
    assert found, "nothing else keeps text from being encoded"
    return UserError(
        f"a line holds U+{ord(found[0]):04X}, half of a character",
        "it is no UTF-8; make the corpus again",
    )
