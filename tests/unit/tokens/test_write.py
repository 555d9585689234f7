import pytest
from tokenizers.pre_tokenizers import ByteLevel

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Output
from unmask.corpus.store import Document, PartWriter
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokens import format as shards
from unmask.tokens.config import TokensConfig
from unmask.tokens.read import TokenFolder
from unmask.tokens.write import ShardTask, write_shard

TEXTS = [
    "One line.\n  Another line. \n\n",
    "A third.",
    " \n ",
    "Seven words make up this last line.",
]


@pytest.fixture
def tokenizer(tmp_path):
    """One id a byte: enough to follow every token by eye."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    tokens = [*specials, *sorted(ByteLevel.alphabet()), "<mask>"]
    tokenizer = byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])
    tokenizer.save(tmp_path / "tokenizer")
    return tokenizer


@pytest.fixture
def folder(tmp_path, tokenizer):
    """A tokens folder of one shard, made by its task."""
    return make(tmp_path, tokenizer, TEXTS)


def make(tmp_path, tokenizer, texts, *, sentences="lines", language=None):
    with PartWriter(tmp_path, "part") as writer:
        for number, text in enumerate(texts):
            writer.add(Document(str(number), text, "test"))
    part = next(tmp_path.glob("part*.parquet"))
    with manifests.building(tmp_path / "tokens") as beside:
        task = ShardTask(part, beside, "train-00000", tmp_path / "tokenizer", sentences, language)
        result = write_shard(task)
        facts = {
            "tokenizer": tokenizer.fingerprint,
            "vocabulary": tokenizer.vocabulary,
            **result["counts"],
        }
        hashed = [Output(**output) for output in result["outputs"]]
        manifests.write(beside, "tokens", {}, [], facts, hashed=hashed)
    return tmp_path / "tokens"


def documents_of(folder, tokenizer):
    """Read the text back, sentence by sentence."""
    found, start = [[]], 0
    (shard,) = TokenFolder.open(folder).shards("train")
    for tokens in shards.unpack(shard.lengths).tokens_U:
        if tokens:
            found[-1].append(tokenizer.decode(shard.ids_T[start : start + tokens].tolist()))
        else:
            found.append([])
        start += tokens
    assert start == len(shard.ids_T)
    return found[:-1]


def test_text_comes_back_out_of_the_shards(folder, tokenizer):
    assert documents_of(folder, tokenizer) == [
        ["One line.", "Another line."],
        ["A third."],
        ["Seven words make up this last line."],
    ]


def test_lines_can_be_cut_into_sentences(tmp_path, tokenizer):
    texts = ["She pays 3.50 euros. It was late.", "今天下雨。我在家！"]

    english = make(tmp_path, tokenizer, texts, sentences="split", language="en")

    assert documents_of(english, tokenizer)[0] == ["She pays 3.50 euros.", "It was late."]


def test_shards_cost_two_bytes_a_token_and_one_a_sentence_and_document(folder):
    facts = manifests.read(folder).facts
    sizes = {path.suffix: path.stat().st_size for path in folder.glob("train-*")}

    assert [facts[name] for name in ("documents", "sentences", "tokens")] == [3, 4, 65]
    assert facts["empty_documents"] == 1
    assert sizes == {".ids": 130, ".lengths": 4 + 3}


def test_a_line_of_fifty_megabytes_is_encoded(tmp_path, tokenizer):
    folder = make(tmp_path, tokenizer, ["word " * (10 << 20)])

    (shard,) = TokenFolder.open(folder).shards("train")

    assert len(shard.ids_T) == (50 << 20) - 1
    assert shards.unpack(shard.lengths).tokens_U.tolist() == [(50 << 20) - 1, 0]


@pytest.mark.parametrize("suffix", [".ids", ".lengths"])
def test_a_truncated_shard_is_named(folder, suffix):
    path = folder / f"train-00000{suffix}"
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(UserError, match=rf"train-00000{suffix}: truncated") as caught:
        TokenFolder.open(folder)

    assert "--force" in caught.value.hint


@pytest.mark.parametrize("suffix", [".ids", ".lengths"])
def test_a_flipped_bit_is_found(folder, suffix):
    path = folder / f"train-00000{suffix}"
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)

    with pytest.raises(UserError, match=rf"train-00000{suffix}: damaged"):
        TokenFolder.open(folder)


def test_a_folder_of_another_stage_is_refused(tmp_path):
    with manifests.building(tmp_path / "corpus") as beside:
        manifests.write(beside, "corpus", {}, [], {})

    with pytest.raises(UserError, match="is a folder of the stage corpus"):
        TokenFolder.open(tmp_path / "corpus")


def test_another_tokenizer_is_refused(folder, tokenizer, tmp_path):
    opened = TokenFolder.open(folder)

    opened.require_tokenizer(tokenizer.fingerprint, of=tmp_path)
    with pytest.raises(UserError, match=r"made with tokenizer .* is 000000000000"):
        opened.require_tokenizer("0" * 64, of=tmp_path)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"length": 7}, "--length 7: must be from 8 to 65,535"),
        ({"length": 1 << 16}, "--length 65536: must be from 8"),
        ({"sentences": "split"}, "--sentences split needs --language"),
        ({"language": "en"}, "--language en: lines are taken as they are"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, flags, said):
    with pytest.raises(UserError, match=said):
        TokensConfig(corpus=tmp_path, tokenizer=tmp_path, out=tmp_path, **flags)
