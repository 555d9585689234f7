"""Questions with their contexts as the model reads them, a long context in overlapping windows.

Legend: Q questions, W windows, T tokens of all windows end to end, D tokens of all contexts end to
end, P tokens of the pool that windows are made of, 5 pieces of a window.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune.sequences import Sequences, counted
from unmask.finetune.squad.document import Documents, Int32s, Ints
from unmask.finetune.squad.read import Question
from unmask.tokenizer.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How contexts are cut, counted in tokens."""

    length: int = 384
    """Tokens of a window at most, with the question and the special tokens."""
    stride: int = 128
    """Tokens of context that neighbouring windows share, as in transformers; Google's BERT gives
    this name to the tokens from the beginning of one to that of the next."""
    question: int = 64
    """Longer questions are truncated."""


@dataclasses.dataclass(frozen=True, slots=True)
class Windows:
    """Windows in the order of their questions; those of one question follow one another."""

    sequences: Sequences
    token_T: Int32s
    """Which token of `documents` each token is; -1 for special tokens and those of a question."""
    question_W: Ints
    first_W: Ints
    """Place in the window of its first token of context."""
    last_W: Ints
    """Place in the window after its last token of context."""
    documents: Documents
    """Every context once."""
    document_Q: Ints
    """Which of them each question is asked of."""

    def __len__(self) -> int:
        return len(self.question_W)


def cut(questions: Sequence[Question], tokenizer: Tokenizer, sizes: Sizes) -> Windows:
    """Cut windows: `<s> question </s></s> context </s>`, or `[CLS] question [SEP] context [SEP]`.

    They are those of tokenizers' `enable_truncation(length, stride, "only_second")`, but a context
    is tokenised once, however many questions and windows it has. Questions lose their leading white
    space, which RoBERTa would see. A special token written out in a text is that token, as in
    `Tokenizer.encode`. UserError where the sizes leave a window no room to move on.
    """
    specials = tokenizer.encode([""], [""])[0]
    _refuse_without_room(sizes, len(specials))
    contexts = list(dict.fromkeys(question.context for question in questions))
    number = {context: index for index, context in enumerate(contexts)}
    document_Q = np.array([number[question.context] for question in questions], np.int64)
    documents = Documents.of(contexts, tokenizer)
    asked = Documents.of([question.question.lstrip() for question in questions], tokenizer)
    asked_Q = np.minimum(np.diff(asked.starts_N1), sizes.question)
    if truncated := int((asked_Q < np.diff(asked.starts_N1)).sum()):
        say(f"{truncated:,} of {len(questions):,} questions truncated to {sizes.question} tokens")

    length_Q = np.diff(documents.starts_N1)[document_Q]
    room_Q = sizes.length - len(specials) - asked_Q
    question_W, origin_W = _origins(length_Q, room_Q, sizes.stride)
    document_W, asked_W = document_Q[question_W], asked_Q[question_W]
    size_W = np.minimum(room_Q[question_W], length_Q[question_W] - origin_W)
    pool = _Pool.of(specials, asked, documents)
    start_W5 = np.broadcast_arrays(
        0,
        pool.questions + asked.starts_N1[question_W],
        1,
        pool.contexts + documents.starts_N1[document_W] + origin_W,
        len(specials) - 1,
    )
    length_W5 = np.broadcast_arrays(1, asked_W, len(specials) - 2, size_W, 1)
    sequences, token_T = pool.lay(np.stack(start_W5, axis=1), np.stack(length_W5, axis=1))
    first_W = asked_W + len(specials) - 1
    return Windows(sequences, token_T, question_W, first_W, first_W + size_W, documents, document_Q)


def _refuse_without_room(sizes: Sizes, specials: int) -> None:
    room = sizes.length - specials - sizes.question
    if sizes.question < 1 or not 0 <= sizes.stride < room:
        raise UserError(
            f"windows of {sizes.length} tokens with stride {sizes.stride} and questions of up to "
            f"{sizes.question}: {specials} special tokens leave {room} for the context",
            "questions need 1 token or more, and the stride must be less than what is left",
        )


def _origins(length_Q: Ints, room_Q: Ints, stride: int) -> tuple[Ints, Ints]:
    """Give the question of each window, and the place in the context where it begins."""
    step_Q = room_Q - stride
    windows_Q = 1 + np.maximum(0, -((room_Q - length_Q) // step_Q))
    question_W = np.repeat(np.arange(len(length_Q)), windows_Q)
    return question_W, counted(np.zeros_like(windows_Q), windows_Q) * step_Q[question_W]


@dataclasses.dataclass(frozen=True, slots=True)
class _Pool:
    """Everything that windows are made of: special tokens, then questions, then contexts."""

    ids_P: Int32s
    types_P: npt.NDArray[np.int8]
    token_P: Int32s
    questions: int
    contexts: int

    @classmethod
    def of(cls, specials: Encoding, asked: Documents, documents: Documents) -> "_Pool":
        head, tail = specials.type_ids[0], specials.type_ids[-1]
        counts = len(specials), len(asked.ids_T), len(documents.ids_T)
        token_P = np.arange(sum(counts)) - sum(counts[:2])
        return cls(
            np.concatenate([specials.ids, asked.ids_T, documents.ids_T], dtype=np.int32),
            np.concatenate([specials.type_ids, np.repeat([head, tail], counts[1:])]).astype(
                np.int8
            ),
            np.maximum(token_P, -1).astype(np.int32),
            counts[0],
            sum(counts[:2]),
        )

    def lay(self, start_W5: Ints, length_W5: Ints) -> tuple[Sequences, Int32s]:
        """Lay pieces end to end, five a window: the tokens, and which of the contexts' each is."""
        place_T = counted(start_W5.ravel(), length_W5.ravel())
        starts_W1 = np.concatenate([[0], length_W5.sum(axis=1).cumsum()])
        return Sequences(self.ids_P[place_T], self.types_P[place_T], starts_W1), self.token_P[
            place_T
        ]
