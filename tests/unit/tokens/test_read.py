import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.progress import bar
from unmask.corpus.store import Document
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokens.read import TokenFolder
from unmask.tokens.write import ShardWriter, encode

TEXTS = ["One line.\n  Another line. \n\n", "A third.", "Seven words make up this last line."]


def byte_tokenizer():
    """One id a byte: enough to follow every token by eye."""
    from tokenizers.pre_tokenizers import ByteLevel

    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    tokens = [*specials, *sorted(ByteLevel.alphabet()), "<mask>"]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])


def write(folder, tokenizer, shard_tokens):
    documents = [Document(str(number), text, "test") for number, text in enumerate(TEXTS)]
    with manifests.building(folder) as beside:
        writer = ShardWriter(beside, "train", tokenizer.vocabulary, shard_tokens)
        with bar("encode", None) as progress:
            for sentences in encode(documents, tokenizer, progress):
                writer.add(sentences)
        writer.flush()
        facts = {"tokenizer": tokenizer.fingerprint, "vocabulary": tokenizer.vocabulary}
        manifests.write(beside, "tokens", {}, [], facts)
    return writer.counts


@pytest.mark.parametrize("shard_tokens", [1, 20, 1000])
def test_text_comes_back_out_of_the_shards(tmp_path, shard_tokens):
    tokenizer = byte_tokenizer()
    write(tmp_path / "tokens", tokenizer, shard_tokens)

    found = []
    for shard in TokenFolder.open(tmp_path / "tokens").shards("train"):
        starts = [0, *shard.sentence_ends[:-1]]
        sentences = [
            tokenizer.decode(shard.ids_T[start:end].tolist())
            for start, end in zip(starts, shard.sentence_ends, strict=True)
        ]
        for first, last in zip([0, *shard.document_ends[:-1]], shard.document_ends, strict=True):
            found.append(sentences[first:last])

    assert found == [
        ["One line.", "Another line."],
        ["A third."],
        ["Seven words make up this last line."],
    ]


def test_shards_cost_two_bytes_a_token_and_one_a_sentence(tmp_path):
    counts = write(tmp_path / "tokens", byte_tokenizer(), 1000)

    sizes = {path.suffix: path.stat().st_size for path in (tmp_path / "tokens").glob("train-*")}

    assert counts == {"shards": 1, "documents": 3, "sentences": 4, "tokens": 65}
    assert sizes == {".ids": 130, ".sentences": 4, ".documents": 3}


@pytest.mark.parametrize("suffix", [".ids", ".sentences", ".documents"])
def test_a_truncated_shard_is_named(tmp_path, suffix):
    write(tmp_path / "tokens", byte_tokenizer(), 1000)
    path = tmp_path / "tokens" / f"train-00000{suffix}"
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(UserError, match=rf"train-00000{suffix}: truncated") as caught:
        TokenFolder.open(tmp_path / "tokens")

    assert "--force" in caught.value.hint


def test_a_folder_of_another_stage_is_refused(tmp_path):
    with manifests.building(tmp_path / "corpus") as beside:
        manifests.write(beside, "corpus", {}, [], {})

    with pytest.raises(UserError, match="is a folder of the stage corpus"):
        TokenFolder.open(tmp_path / "corpus")


def test_another_tokenizer_is_refused(tmp_path):
    tokenizer = byte_tokenizer()
    write(tmp_path / "tokens", tokenizer, 1000)
    folder = TokenFolder.open(tmp_path / "tokens")

    folder.require_tokenizer(tokenizer.fingerprint, of=tmp_path)
    with pytest.raises(UserError, match=r"made with tokenizer .* is 000000000000"):
        folder.require_tokenizer("0" * 64, of=tmp_path)
