"""Where Chinese words begin, by jieba, as RoBERTa-wwm-ext's authors do by LTP (Cui et al. 2021).

The text of a block is put together from its tokens' bytes, so masks stay a function of its ids. A
token that begins with a Chinese character begins a word where jieba does, all others where they
do without jieba; and so does a token that is not Chinese behind one that is.

Legend: B blocks, L length, V vocabulary.
"""

import functools
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.hashing import IntArray
from unmask.pretrain.masking.arrays import BoolArray, like
from unmask.pretrain.masking.words import CONTINUES, beginnings
from unmask.tokenizer.byte_letters import BYTE_OF
from unmask.tokenizer.tokenizer import Tokenizer

CHINESE = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ceaf\U0002f800-\U0002fa1f]+"
)
"""The characters that BERT's tokenizer sets apart (tokenization.py, _is_chinese_char)."""


class ChineseWords:
    """Tells for blocks of ids which tokens begin a word."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._jieba = _segmenter()
        self._begins_V = beginnings(tokenizer)
        self._bytes_V = list(_bytes(tokenizer))

    def __reduce__(self) -> tuple[type["ChineseWords"], tuple[Tokenizer]]:
        return ChineseWords, (self._tokenizer,)

    def __call__(self, ids_BL: IntArray) -> BoolArray:
        """[B, L], true where a word begins."""
        ids = ids_BL if isinstance(ids_BL, np.ndarray) else ids_BL.cpu().numpy()
        begins_BL = self._begins_V[ids]
        for begins_L, ids_L in zip(begins_BL, ids.tolist(), strict=True):
            self._correct(begins_L, [self._bytes_V[id_] for id_ in ids_L])
        return like(begins_BL, ids_BL)

    def _correct(self, begins_L: npt.NDArray[np.bool_], pieces: list[bytes]) -> None:
        """Set what jieba knows better."""
        place_of = dict(_places(pieces))
        # a byte that is no UTF-8 becomes one character, and comes back as that byte
        text = b"".join(pieces).decode(errors="surrogateescape")
        at, end = 0, 0
        for run in CHINESE.finditer(text):
            at += _size(text[end : run.start()])
            end = run.end()
            for word in self._jieba.cut(run[0]):
                for number, character in enumerate(word):
                    if (place := place_of.get(at)) is not None:
                        begins_L[place] = number == 0
                    at += _size(character)
            if (place := place_of.get(at)) is not None:
                begins_L[place] = True


def _places(pieces: list[bytes]) -> Iterator[tuple[int, int]]:
    """The byte at which each token begins, and its place; tokens without text have none."""
    at = 0
    for place, piece in enumerate(pieces):
        if piece:
            yield at, place
            at += len(piece)


def _size(text: str) -> int:
    return len(text.encode(errors="surrogateescape"))


def _bytes(tokenizer: Tokenizer) -> Iterator[bytes]:
    """The text of each token; a line end for special tokens, so that no word spans them."""
    special = set(tokenizer.special_ids)
    for id_ in range(tokenizer.vocabulary):
        token = tokenizer.token(id_)
        if id_ in special:
            yield b"\n"
        elif tokenizer.family == "roberta":
            yield token.translate(BYTE_OF).encode("latin-1")
        else:
            yield token.removeprefix(CONTINUES).encode()


@functools.cache
def _segmenter() -> Any:  # noqa: ANN401
    """Set up jieba with its own dictionary, not with a copy that lies in the folder for all."""
    jieba = _imported()
    segmenter = jieba.Tokenizer()
    segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(segmenter.get_dict_file())
    segmenter.initialized = True
    return segmenter


def _imported() -> ModuleType:
    try:
        import jieba
    except ImportError:
        raise UserError(
            "--masking.unit chinese-word: jieba is missing", "pip install unmask[zh]"
        ) from None
    return jieba  # type: ignore[no-any-return]
