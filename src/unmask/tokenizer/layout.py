"""The files of a tokenizer folder, as transformers reads them."""

import json
from typing import Any

import tokenizers

from unmask.tokenizer.family import BERT, ROBERTA, Family

TOKENIZER = "tokenizer.json"
SETTINGS = "tokenizer_config.json"


def files_beside(
    backend: tokenizers.Tokenizer, kind: Family, model_max_length: int
) -> dict[str, str]:
    """Make the text of every file that stands beside `tokenizer.json`, by name."""
    specials = _specials(backend, kind)
    settings = {
        "tokenizer_class": "RobertaTokenizer" if kind is ROBERTA else "BertTokenizer",
        "model_max_length": model_max_length,
        "clean_up_tokenization_spaces": False,
        **_pipeline(backend, kind),
        **{role: token["content"] for role, token in specials.items()},
    }
    return {
        SETTINGS: _text(settings),
        "special_tokens_map.json": _text(specials),
        **_vocabulary(backend, kind),
    }


def _vocabulary(backend: tokenizers.Tokenizer, kind: Family) -> dict[str, str]:
    ids = backend.get_vocab(with_added_tokens=False)
    tokens = sorted(ids, key=ids.__getitem__)
    if kind is BERT:
        return {"vocab.txt": "".join(f"{token}\n" for token in tokens)}
    merges = json.loads(backend.to_str())["model"]["merges"]
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    return {
        "vocab.json": json.dumps({token: ids[token] for token in tokens}, ensure_ascii=False),
        "merges.txt": "".join(f"{line}\n" for line in lines),
    }


def _pipeline(backend: tokenizers.Tokenizer, kind: Family) -> dict[str, Any]:
    """Repeat the settings of the pipeline, which transformers 5 builds anew from these."""
    if kind is ROBERTA:
        return {
            "add_prefix_space": backend.pre_tokenizer.add_prefix_space,
            "trim_offsets": backend.post_processor.trim_offsets,
            "errors": "replace",
        }
    return {
        "do_lower_case": backend.normalizer.lowercase,
        "strip_accents": backend.normalizer.strip_accents,
        "tokenize_chinese_chars": backend.normalizer.handle_chinese_chars,
    }


def _specials(backend: tokenizers.Tokenizer, kind: Family) -> dict[str, dict[str, Any]]:
    """Map transformers' names of the roles to tokens; BERT has no beginning and end."""
    roles = {
        "cls_token": kind.bos,
        "sep_token": kind.eos,
        "pad_token": kind.pad,
        "unk_token": kind.unk,
        "mask_token": kind.mask,
    }
    if kind is ROBERTA:
        roles |= {"bos_token": kind.bos, "eos_token": kind.eos}
    added = {token.content: token for token in backend.get_added_tokens_decoder().values()}
    return {role: _token(added[token]) for role, token in roles.items()}


def _token(token: tokenizers.AddedToken) -> dict[str, Any]:
    return {
        "content": token.content,
        "lstrip": token.lstrip,
        "normalized": token.normalized,
        "rstrip": token.rstrip,
        "single_word": token.single_word,
    }


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
