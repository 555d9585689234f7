"""The files of a vocabulary that `unmask convert` reads and writes, against those published."""

import json

from unmask.convert import vocabulary
from unmask.tokenizer import imports


def test_roberta_is_spelled_as_gpt2_and_fairseq_published_it(shared_data, tmp_path):
    roberta = imports.read(imports.find(shared_data / "bpe" / "roberta"))
    published = shared_data / "bpe" / "gpt2_bpe"

    vocabulary.Spelling.of(roberta, 50265, tmp_path).save(tmp_path)

    ours, gpt2 = (
        json.loads((folder / "encoder.json").read_text()) for folder in (tmp_path, published)
    )
    assert ours == gpt2
    names, theirs = (
        [line.split(" ")[0] for line in (folder / "dict.txt").read_text().splitlines()]
        for folder in (tmp_path, published)
    )
    assert names == theirs
    merges, theirs = ((folder / "vocab.bpe").read_text() for folder in (tmp_path, published))
    assert merges.rstrip("\n") == theirs.rstrip("\n")


def test_the_published_files_of_fairseq_give_the_ids_of_roberta(shared_data):
    roberta = imports.read(imports.find(shared_data / "bpe" / "roberta"))
    published = shared_data / "bpe" / "gpt2_bpe"

    found = vocabulary.read(vocabulary.find(published, None))
    checked = vocabulary.read(vocabulary.find(published, shared_data / "bpe" / "roberta"))

    texts = ["Hello world!", " world", "world", 'I said, "hello RoBERTa."', "<mask> is 新闻"]
    for text, expected in zip(texts, roberta.encode(texts), strict=True):
        assert found.encode([text])[0].ids == expected.ids
    assert found.encode(["Hello world!"])[0].ids == [0, 31414, 232, 328, 2]
    assert (found.mask_id, found.vocabulary) == (50264, 50265)
    assert checked.json == roberta.json
