"""A vocabulary in, the tokenizer around it out, set up as transformers sets it up."""

from collections.abc import Mapping, Sequence

import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors

from unmask.core.errors import UserError
from unmask.tokenizer import family
from unmask.tokenizer.family import BERT, ROBERTA, Family
from unmask.tokenizer.tokenizer import Tokenizer


def byte_level_bpe(vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> Tokenizer:
    """Build RoBERTa's tokenizer; UserError if vocabulary and merges do not go together."""
    _check(vocabulary, ROBERTA)
    try:
        model = models.BPE(vocab=dict(vocabulary), merges=list(merges))
    except Exception as error:  # the library raises nothing narrower
        raise UserError(
            f"the merges do not fit the vocabulary ({error})", "take both files from one model"
        ) from None
    backend = tokenizers.Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.RobertaProcessing(
        sep=(ROBERTA.eos, vocabulary[ROBERTA.eos]),
        cls_token=(ROBERTA.bos, vocabulary[ROBERTA.bos]),
        trim_offsets=True,
        add_prefix_space=False,
    )
    return _finish(backend, ROBERTA)


def word_piece(
    vocabulary: Mapping[str, int],
    *,
    lowercase: bool,
    strip_accents: bool | None = None,
    handle_chinese_chars: bool = True,
) -> Tokenizer:
    """Build BERT's tokenizer; accents go where case goes, unless `strip_accents` says otherwise."""
    _check(vocabulary, BERT)
    backend = tokenizers.Tokenizer(models.WordPiece(vocab=dict(vocabulary), unk_token=BERT.unk))
    backend.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=handle_chinese_chars,
        strip_accents=strip_accents,
        lowercase=lowercase,
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix="##")
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in (BERT.bos, BERT.eos)],
    )
    return _finish(backend, BERT)


def _check(vocabulary: Mapping[str, int], kind: Family) -> None:
    family.refuse_missing(vocabulary, kind)
    family.refuse_gaps(vocabulary.values())


def _finish(backend: tokenizers.Tokenizer, kind: Family) -> Tokenizer:
    """Mark the special tokens; RoBERTa's `<mask>` takes the space before it."""
    takes_space = kind.mask if kind is ROBERTA else None
    backend.add_special_tokens(
        [
            AddedToken(token, lstrip=token == takes_space, normalized=False, special=True)
            for token in kind.specials
        ]
    )
    return Tokenizer(backend.to_str(pretty=True))
