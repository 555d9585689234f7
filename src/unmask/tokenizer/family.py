"""The two families of tokenizers a RoBERTa encoder meets: RoBERTa's own and BERT's."""

import dataclasses
from collections.abc import Iterable
from typing import Literal

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, processors

from unmask.core.errors import UserError
from unmask.tokenizer.byte_letters import BYTE_OF, LETTERS

Name = Literal["roberta", "bert"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """The special tokens of a family, in the order in which a new vocabulary numbers them."""

    name: Name
    bos: str
    pad: str
    eos: str
    unk: str
    mask: str
    pair: str
    """A pair of empty sentences, as its special tokens."""

    @property
    def specials(self) -> tuple[str, ...]:
        """Every special token; RoBERTa's ids are 0, 1, 2, 3 and the last of a new vocabulary."""
        return self.bos, self.pad, self.eos, self.unk, self.mask


ROBERTA = Family(
    name="roberta",
    bos="<s>",
    pad="<pad>",
    eos="</s>",
    unk="<unk>",
    mask="<mask>",
    pair="<s> </s> </s> </s>",
)
BERT = Family(
    name="bert",
    bos="[CLS]",
    pad="[PAD]",
    eos="[SEP]",
    unk="[UNK]",
    mask="[MASK]",
    pair="[CLS] [SEP] [SEP]",
)


def recognise(backend: tokenizers.Tokenizer) -> Family:
    """Tell the family of a tokenizer; UserError if it is of neither, or not sound."""
    family = _by_pipeline(backend)
    added = backend.get_added_tokens_decoder().values()
    refuse_missing({token.content for token in added if token.special}, family)
    refuse_gaps(backend.get_vocab().values())
    if family is ROBERTA:
        refuse_missing_bytes(backend.get_vocab())
    pair = " ".join(backend.encode("", "").tokens)
    if pair != family.pair:
        raise UserError(
            f"a pair of sentences becomes {pair!r} in this tokenizer, not {family.pair!r}",
            f"its post-processor is not the one of {family.name}; import the vocabulary files",
        )
    return family


def refuse_missing(tokens: Iterable[str], family: Family) -> None:
    """Raise UserError if a special token of the family is not among these."""
    missing = [token for token in family.specials if token not in tokens]
    if missing:
        raise UserError(
            f"no special token {' '.join(missing)} in the vocabulary",
            f"{family.name} needs {' '.join(family.specials)}; is it another model's?",
        )


def refuse_missing_bytes(tokens: Iterable[str]) -> None:
    """Raise UserError unless every byte is a token: text would be lost without a word."""
    missing = [BYTE_OF[ord(letter)] for letter in LETTERS if letter not in tokens]
    if missing:
        raise UserError(
            f"the vocabulary lacks {len(missing)} of the 256 bytes, first 0x{missing[0]:02X}",
            "a byte-level vocabulary holds every byte, so that no text is lost; get it again",
        )


def refuse_gaps(ids: Iterable[int]) -> None:
    """Raise UserError unless the ids are 0, 1, 2... with none left out and none twice."""
    for expected, found in enumerate(sorted(ids)):
        if expected != found:
            what = "is missing" if found > expected else "comes up again"
            raise UserError(
                f"the vocabulary is not numbered without gaps: id {min(found, expected)} {what}",
                "a vocabulary file is incomplete or holds a token twice; get it again",
            )


def _by_pipeline(backend: tokenizers.Tokenizer) -> Family:
    """Choose by the parts, whose settings the files for transformers have to repeat."""
    parts = backend.normalizer, backend.pre_tokenizer, backend.model, backend.post_processor
    match parts:
        case None, pre_tokenizers.ByteLevel(), models.BPE(), processors.RobertaProcessing():
            return ROBERTA
        case normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer(), models.WordPiece(), _:
            return BERT
    found = ", ".join(type(part).__name__ for part in parts)
    raise UserError(
        f"a tokenizer of another kind ({found})",
        "byte-level BPE as RoBERTa's and WordPiece as BERT's are read",
    )
