"""Text to ids and back."""

import functools
import hashlib
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import tokenizers

from unmask.core import files
from unmask.core.errors import UserError
from unmask.tokenizer import family, layout

FILLER = re.compile(r"madeupword\d+|\[unused\d+\]")
"""fairseq fills its dictionaries with the one, BERT its vocabularies with the other."""
DAMAGED = "the file is damaged; make the tokenizer again"


class Tokenizer:
    """A `tokenizer.json`, ready to use; threads may share it, and it can be pickled."""

    def __init__(self, json: str) -> None:
        self.json = json
        self._backend = _backend(json)
        self._family = family.recognise(self._backend)
        self._lock = threading.Lock()
        self.family = self._family.name
        self.mask_token = self._family.mask
        self.bos_id, self.pad_id, self.eos_id, self.unk_id, self.mask_id = (
            self._special_id(token) for token in self._family.specials
        )

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read a folder that holds a `tokenizer.json`, ours or one of transformers."""
        path = folder / layout.TOKENIZER
        if not path.is_file():
            raise UserError(
                f"{folder}: holds no {layout.TOKENIZER}",
                "name a folder that unmask tokenizer has written, or import this one with it",
            )
        try:
            return cls(path.read_bytes().decode())
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: not UTF-8 ({error})", DAMAGED) from None
        except UserError as error:
            raise UserError(f"{path}: {error.what}", error.hint) from None

    def save(self, folder: Path, *, model_max_length: int = 512) -> None:
        """Write what transformers reads: `tokenizer.json`, as it came, and the files beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        files.write_text(folder / layout.TOKENIZER, self.json)
        beside = layout.files_beside(self._backend, self._family, model_max_length)
        for name, text in beside.items():
            files.write_text(folder / name, text)

    @property
    def fingerprint(self) -> str:
        """The sha256 of `tokenizer.json`: equal for equal tokenizers and no others."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    @property
    def vocabulary(self) -> int:
        """The number of ids, special and added tokens included."""
        return self._backend.get_vocab_size()

    @functools.cached_property
    def special_ids(self) -> tuple[int, ...]:
        """The ids of special tokens, in ascending order."""
        added = self._backend.get_added_tokens_decoder()
        return tuple(sorted(id_ for id_, token in added.items() if token.special))

    @functools.cached_property
    def filler_ids(self) -> tuple[int, ...]:
        """The ids that only fill a vocabulary up, in ascending order: no text ever holds them."""
        vocabulary = self._backend.get_vocab()
        return tuple(sorted(id_ for token, id_ in vocabulary.items() if FILLER.fullmatch(token)))

    def encode(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        max_length: int | None = None,
    ) -> list[tokenizers.Encoding]:
        """Encode a batch with special tokens, exactly as transformers does.

        RoBERTa: `<s> A </s>`, `<s> A </s></s> B </s>`, all type ids 0; BERT: `[CLS] A [SEP]`,
        `[CLS] A [SEP] B [SEP]` with type ids 0 and 1. A special token written out in the text,
        such as `<mask>`, is that token. What is over `max_length` is cut off, from the longer of
        two texts first; UserError if not even the special tokens fit.
        """
        batch = list(texts) if pairs is None else list(zip(texts, pairs, strict=True))
        with self._lock:
            self._truncate_to(max_length, is_pair=pairs is not None)
            return self._backend.encode_batch(batch)

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        """Encode text without special tokens: `</s>` in a corpus is four characters, not an end."""
        encodings = self._literal.encode_batch_fast(list(lines), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """Turn ids into text; bytes that are not UTF-8 become U+FFFD."""
        return self._backend.decode(ids, skip_special_tokens=skip_special_tokens)

    def token(self, id_: int) -> str:
        """Look up the token of an id; IndexError if there is none."""
        token = self._backend.id_to_token(id_)
        if token is None:
            raise IndexError(f"id {id_} in a vocabulary of {self.vocabulary}")
        return token

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[str]]:
        return Tokenizer, (self.json,)

    @functools.cached_property
    def _literal(self) -> tokenizers.Tokenizer:
        literal = _backend(self.json)
        literal.encode_special_tokens = True
        return literal

    def _special_id(self, token: str) -> int:
        id_ = self._backend.token_to_id(token)
        assert id_ is not None, "family.recognise has refused a vocabulary without it"
        return id_

    def _truncate_to(self, max_length: int | None, *, is_pair: bool) -> None:
        """Set the backend's state, which the lock keeps from the calls of other threads."""
        if max_length is None:
            self._backend.no_truncation()
            return
        specials = self._backend.num_special_tokens_to_add(is_pair)
        if max_length < specials:  # here the backend would not truncate at all
            raise UserError(
                f"max_length {max_length} does not even hold the {specials} special tokens",
                "allow a greater length",
            )
        self._backend.enable_truncation(max_length)


def _backend(json: str) -> tokenizers.Tokenizer:
    try:
        backend = tokenizers.Tokenizer.from_str(json)
    except Exception as error:  # the library raises nothing narrower
        raise UserError(f"not a tokenizer ({error})", DAMAGED) from None
    backend.no_truncation()
    backend.no_padding()
    return backend
