"""Tokens folders made by hand, small enough to know every token of them."""

import numpy as np
import pytest
from tokenizers.pre_tokenizers import ByteLevel

from unmask.core import manifests
from unmask.inspect.config import InspectConfig
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokens import format as shards

TRAIN = [
    ["One two.", "Three four five.", "Six."],
    ["Seven eight nine ten.", "Eleven."],
    ["Twelve <script>alert(1)</script> & thirteen."],
    ["Fourteen.", "Fifteen sixteen."],
]
VALID = [["A held-out line."], ["Another one."]]


def by_bytes():
    """One id a byte: enough to follow every token by eye."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    tokens = [*specials, *sorted(ByteLevel.alphabet()), "<mask>"]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])


def write_tokenizer(path, tokenizer):
    with manifests.building(path) as folder:
        tokenizer.save(folder)
        manifests.write(folder, "tokenizer", {}, [], {})


def write_shard(folder, stem, documents, tokenizer):
    """One shard; the counts of it."""
    encoded = [tokenizer.encode_lines(document) for document in documents]
    lengths = [n for document in encoded for n in (*map(len, document), 0)]
    ids = [id_ for document in encoded for sentence in document for id_ in sentence]
    (folder / f"{stem}.ids").write_bytes(np.array(ids, np.uint16).tobytes())
    (folder / f"{stem}.lengths").write_bytes(shards.pack_lengths(np.array(lengths, np.int64)))
    sentences = sum(map(len, documents))
    return {"documents": len(documents), "sentences": sentences, "tokens": len(ids)}


def write_tokens(path, tokenizer, train=(TRAIN,), valid=(VALID,), **facts):
    """A tokens folder beside its tokenizer, a list of documents a shard."""
    write_tokenizer(path.parent / "tokenizer", tokenizer)
    counts = {"tokenizer": tokenizer.fingerprint, "vocabulary": tokenizer.vocabulary}
    counts |= {"encoder": "tokenizers", "plan": "full-sentences", "length": 64} | facts
    with manifests.building(path) as folder:
        for split, parts in (("train", train), ("valid", valid)):
            found = [
                write_shard(folder, f"{split}-{number:05d}", documents, tokenizer)
                for number, documents in enumerate(parts)
            ]
            for name in ("documents", "sentences", "tokens"):
                counts[f"{split}_{name}"] = sum(shard[name] for shard in found)
            counts[f"{split}_shards"] = len(parts)
            counts[f"{split}_empty_documents"] = 0
        made_with = manifests.artifact_input("tokenizer", path.parent / "tokenizer", path)
        manifests.write(folder, "tokens", {}, [made_with], counts)
    return path


def config_of(folder, **settings):
    return InspectConfig(folder=folder, **settings)


@pytest.fixture
def folder(tmp_path):
    """A folder of bytes: four documents to train on, two held out."""
    return write_tokens(tmp_path / "tokens", by_bytes())
