"""Texts as the model reads them, one that is too long in overlapping windows.

Legend: N texts, M words of all of them, D their tokens, W windows, T tokens of all windows end to
end, 3 pieces of a window.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune.entities.tokens import Tokens
from unmask.finetune.entities.words import Ints, Words
from unmask.finetune.sequences import Sequences, counted
from unmask.tokenizer.tokenizer import Tokenizer

IGNORED = -100
"""Target of a token that is not learnt from, as in torch and transformers."""
SHARED = 4
"""Neighbouring windows share at least one part of so many."""


@dataclasses.dataclass(frozen=True, slots=True)
class Windows:
    """Windows in the order of their texts; those of one text follow one another."""

    sequences: Sequences
    word_T: Ints
    """The word whose tag is read off each token, of all texts' words; -1 where none is."""
    sentence_W: Ints
    """The text of each window."""
    words: Words

    def __len__(self) -> int:
        return len(self.sentence_W)

    def targets(self, tag_M: Ints) -> Ints:
        """Give each word's tag to its token: label_T, IGNORED at all other tokens."""
        return np.where(self.word_T < 0, IGNORED, tag_M[self.word_T] if len(tag_M) else IGNORED)


def cut(words: Words, tokenizer: Tokenizer, length: int) -> Windows:
    """Cut windows of at most `length` tokens: `<s> tokens </s>`, or `[CLS] tokens [SEP]`.

    Nothing is cut off. The windows of a text that is too long all have full length, and each
    shares at least a quarter of it with the next. The tag of a word is read off its first token,
    in the one window where that has most context: the shorter side counts, and a side that
    reaches the end of the text is never the shorter one. How many words the tokenizer drops is
    said; they have no token. UserError where the special tokens leave no room.
    """
    specials = tokenizer.encode([""])[0]
    room = length - len(specials)
    if room < 1:
        raise UserError(
            f"windows of {length} tokens: {len(specials)} special tokens leave no room for text",
            "allow a greater length",
        )
    tokens = Tokens.of(words, tokenizer)
    spans = _spans(np.diff(tokens.starts_N1), room)
    _say(tokens, spans, len(words), length)

    start_W = 2 + tokens.starts_N1[spans.text_W] + spans.begin_W
    size_W = spans.end_W - spans.begin_W
    start_W3 = np.stack(np.broadcast_arrays(0, start_W, 1), axis=1)
    length_W3 = np.stack(np.broadcast_arrays(1, size_W, 1), axis=1)
    place_T = counted(start_W3.ravel(), length_W3.ravel())
    starts_W1 = np.concatenate([[0], (size_W + 2).cumsum()])
    ids = np.concatenate([[specials.ids[0], specials.ids[-1]], tokens.ids_D]).astype(np.int32)
    types_T = np.full(len(place_T), specials.type_ids[0], np.int8)
    sequences = Sequences(ids[place_T], types_T, starts_W1)
    inside_T = counted(spans.begin_W - 1, size_W + 2)
    own_first_T, own_last_T = (
        np.repeat(bound_W, size_W + 2) for bound_W in (spans.own_first_W, spans.own_last_W)
    )
    is_own_T = (own_first_T <= inside_T) & (inside_T < own_last_T)
    word_T = np.where(is_own_T, _word_of_token(tokens)[place_T], -1)
    return Windows(sequences, word_T, spans.text_W, words)


@dataclasses.dataclass(frozen=True, slots=True)
class _Spans:
    """Where windows begin and end in their texts, and from where to where each is asked."""

    text_W: Ints
    begin_W: Ints
    end_W: Ints
    own_first_W: Ints
    own_last_W: Ints


def _spans(length_N: Ints, room: int) -> _Spans:
    step = room - room // SHARED
    further_N = np.maximum(0, -((room - length_N) // step))
    text_W = np.repeat(np.arange(len(length_N)), 1 + further_N)
    index_W = counted(np.zeros_like(further_N), 1 + further_N)
    length_W, further_W = length_N[text_W], further_N[text_W]
    begin_W = index_W * np.maximum(0, length_W - room) // np.maximum(1, further_W)
    end_W = np.minimum(begin_W + room, length_W)
    # Up to the middle of what two windows share, the left one knows more of what follows.
    middle_W = (np.append(0, end_W)[:-1] + begin_W) // 2
    own_first_W = np.where(index_W == 0, 0, middle_W)
    own_last_W = np.where(index_W == further_W, length_W, np.append(middle_W, 0)[1:])
    return _Spans(text_W, begin_W, end_W, own_first_W, own_last_W)


def _word_of_token(tokens: Tokens) -> npt.NDArray[np.int64]:
    """The word that is read off each token, after the two special ones; -1 where none is."""
    word_of = np.full(2 + len(tokens.ids_D), -1)
    seen_M = np.flatnonzero(tokens.first_M >= 0)
    word_of[2 + tokens.first_M[seen_M]] = seen_M
    return word_of


def _say(tokens: Tokens, spans: _Spans, words: int, length: int) -> None:
    if long := int((np.bincount(spans.text_W) > 1).sum()):
        say(
            f"{long:,} of {len(tokens.starts_N1) - 1:,} sentences are longer than {length} tokens: "
            "read in overlapping windows"
        )
    if tokens.unseen:
        say(
            f"{tokens.unseen:,} of {words:,} words have no token in this vocabulary, such as "
            "control characters: not learnt from, and tagged O"
        )
