import re

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.inspect.run import look
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.plan_names import PLAN_NAMES
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import TokenFolder

from .conftest import TRAIN, by_bytes, config_of, write_tokenizer, write_tokens


def text(passage):
    return "".join(token.text for token in passage.tokens)


def texts(block):
    return [text(passage) for passage in block.passages]


def tokens(block):
    return [token for passage in block.passages for token in passage.tokens]


def test_a_block_is_its_text_parted_at_the_borders_of_documents(folder):
    first, second, third = look(config_of(folder)).blocks

    assert texts(first) == [
        "<s> One two.</s> Three four five.</s> Six.</s></s>",
        "Seven eight nine ten.</s> Eleven.</s>",
    ]
    assert (first.number, first.tokens, first.padding) == (0, 63, 1)
    assert [passage.origin for passage in first.passages] == [
        "document 0, from its beginning",
        "document 1, from its beginning",
    ]
    assert [passage.document for passage in second.passages] == [2, 3]
    assert texts(third) == ["<s> Fifteen sixteen.</s>"]
    assert third.passages[0].origin == "document 3, from sentence 1"


def test_a_sentence_that_is_cut_goes_on_inside(folder):
    blocks = look(config_of(folder, length=12, blocks=20)).blocks

    origins = [passage.origin for block in blocks for passage in block.passages]

    assert "document 0, from inside sentence 1" in origins


def test_hf_puts_the_border_in_front_of_the_bos(folder):
    (block,) = look(config_of(folder, plan="hf", blocks=1)).blocks

    assert text(block.passages[0]).endswith("Six.</s>")
    assert text(block.passages[1]).startswith("<s> Seven")


def test_a_block_without_text_says_so(tmp_path):
    write_tokens(tmp_path / "tokens", by_bytes(), train=([["x" * 7]],), valid=())

    blocks = look(config_of(tmp_path / "tokens", plan="none", length=8)).blocks

    assert texts(blocks[1]) == ["<s></s>"]
    assert blocks[1].passages[0].origin == "no text"


def test_pairs_are_parted_into_segments_and_labelled(folder):
    blocks = look(config_of(folder, plan="sentence-pair", blocks=20)).blocks

    for block in blocks:
        first, second = block.passages
        assert (first.segment, second.segment) == ("A", "B")
        assert first.origin.startswith(f"A: document {first.document}, ")
        follows = (second.document, second.sentence) == (first.document, first.sentence + 1)
        assert block.follows == follows
        assert block.label == ("B follows A" if follows else "B is from another document")
    assert {block.follows for block in blocks} == {True, False}


@pytest.mark.parametrize("plan", PLAN_NAMES)
def test_what_is_shown_is_what_pretraining_reads(folder, plan):
    config = config_of(folder, plan=plan, length=32, first=1, blocks=2, epoch=3, seed=5)
    opened, tokenizer = TokenFolder.open(folder), Tokenizer.load(folder.parent / "tokenizer")
    shards = opened.shards("train")
    read = choose(plan, shards, 32, SpecialIds.of(tokenizer)).read(np.array([1, 2]))
    masker = Masker.of(MaskingConfig(), 5, tokenizer, shards)
    masked = masker(read.ids_BL, np.array([3, 3]), np.array([1, 2]))

    blocks = look(config).blocks

    assert [block.number for block in blocks] == [1, 2]
    for row, block in enumerate(blocks):
        shown = tokens(block)
        assert len(shown) == block.tokens == read.lengths_B[row] == 32 - block.padding
        assert [token.id for token in shown] == read.ids_BL[row, : block.tokens].tolist()
        seen = [token.seen.id if token.seen else token.id for token in shown]
        assert seen == masked.ids_BL[row, : block.tokens].tolist()
        predicted = [row * 32 + n for n, token in enumerate(shown) if token.seen]
        assert predicted == [n for n in masked.positions_M.tolist() if n // 32 == row]


def test_the_fate_of_a_token_is_what_became_of_it(folder):
    masking = MaskingConfig(probability=0.9, masked=0.4, random=0.3)

    (block,) = look(config_of(folder, blocks=1, masking=masking)).blocks

    fates = [(token.seen.fate, token) for token in tokens(block) if token.seen]
    assert {fate for fate, _ in fates} == {"masked", "random", "kept"}
    for fate, token in fates:
        assert (token.seen.text == "<mask>") == (fate == "masked")
        assert (token.seen.id == token.id) == (fate == "kept")
    counts = {fate: [name for name, _ in fates].count(fate) for fate, _ in fates}
    assert block.summary == (
        f"63 tokens, 1 padding; {len(fates)} to predict: {counts['masked']} masked, "
        f"{counts['random']} random, {counts['kept']} kept"
    )


def test_fairseqs_rule_may_mask_a_special_token(folder):
    masking = MaskingConfig(probability=0.9, rule="fairseq")

    (block,) = look(config_of(folder, blocks=1, masking=masking)).blocks

    assert any(token.special and token.seen for token in tokens(block))


def test_masks_change_with_epoch_and_seed_and_not_by_themselves(folder):
    first = look(config_of(folder))

    assert look(config_of(folder)) == first
    assert look(config_of(folder, epoch=1)).blocks != first.blocks
    assert look(config_of(folder, seed=1)).blocks != first.blocks
    static = MaskingConfig(schedule="static")
    assert look(config_of(folder, epoch=1, masking=static)).blocks == first.blocks


def test_counts_are_those_of_the_manifest_and_the_plan(folder):
    found = look(config_of(folder))

    text_, blocks = ({name: values for name, *values in table.rows} for table in found.tables)
    assert dict(found.facts)["files"].endswith("hashes verified")
    assert dict(found.facts)["files"].startswith("4 files, ")
    assert text_["documents"] == ["4", "2"]
    assert text_["sentences"] == ["8", "2"]
    assert text_["tokens a document"] == ["31.2", "14.0"]
    assert text_["bytes a token, stored"][0] == "2.10"
    assert found.tables[1].title == "blocks: full-sentences, length 64"
    assert blocks["blocks"] == ["3", "1"]
    assert blocks["blocks over several documents"] == ["66.7%", "100.0%"]
    assert found.histograms[0].count == found.count == 3


def test_the_folders_own_plan_is_shown_unless_another_is_asked_for(tmp_path):
    folder = write_tokens(tmp_path / "tokens", by_bytes(), plan="line", length=20)

    assert look(config_of(folder)).tables[1].title == "blocks: line, length 20"
    assert look(config_of(folder, plan="none")).tables[1].title == "blocks: none, length 20"


def test_shards_count_on_and_a_split_without_text_is_a_dash(tmp_path):
    folder = write_tokens(tmp_path / "tokens", by_bytes(), train=(TRAIN[:2], TRAIN[2:]), valid=())

    found = look(config_of(folder, blocks=9))

    documents = [passage.document for block in found.blocks for passage in block.passages]
    assert sorted(set(documents)) == [0, 1, 2, 3]
    assert dict(row[::2] for row in found.tables[0].rows)["tokens a sentence"] == "–"


def test_word_pieces_are_shown_with_their_marks(tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "##s", "two"]
    bert = word_piece({word: id_ for id_, word in enumerate(words)}, lowercase=True)
    folder = write_tokens(tmp_path / "tokens", bert, train=([["Ones two", "three"]],), valid=())

    found = look(config_of(folder, plan="sentence-pair", length=16))

    assert texts(found.blocks[0]) == [" [CLS] one ##s two [SEP]", " [UNK] [SEP]"]
    assert not found.byte_level


def refused(config):
    with pytest.raises(UserError) as caught:
        look(config)
    return caught.value


def test_a_block_that_is_not_there_is_refused(folder):
    error = refused(config_of(folder, first=3))

    assert error.what == (
        "--first 3: train has 3 blocks (full-sentences, length 64), and the first is number 0"
    )
    assert error.hint == "give 2 or less"


def test_a_split_without_blocks_is_refused(tmp_path):
    folder = write_tokens(tmp_path / "tokens", by_bytes(), valid=())

    error = refused(config_of(folder, split="valid"))

    assert error.what == f"{folder}: valid has no blocks (full-sentences, length 64)"
    assert "--split train" in error.hint
    assert "valid has no blocks (hf," in refused(config_of(folder, split="valid", plan="hf")).what


@pytest.mark.parametrize("suffix", [".ids", ".lengths"])
def test_one_flipped_bit_in_a_shard_is_found(folder, suffix):
    path = folder / f"valid-00000{suffix}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    assert f"valid-00000{suffix}: damaged" in refused(config_of(folder)).what


def test_a_tokenizer_that_is_gone_is_asked_for(folder, tmp_path):
    (tmp_path / "tokenizer").rename(tmp_path / "elsewhere")

    error = refused(config_of(folder))

    assert re.search(r"tokenizer: the tokenizer that made .*tokens is gone", error.what)
    assert "--tokenizer" in error.hint
    assert look(config_of(folder, tokenizer=tmp_path / "elsewhere")).count == 3


def test_another_tokenizer_is_refused(folder, tmp_path):
    tokenizer = by_bytes()
    other = Tokenizer(tokenizer.json + "\n")
    write_tokenizer(tmp_path / "other", other)

    error = refused(config_of(folder, tokenizer=tmp_path / "other"))

    assert f"made with tokenizer {tokenizer.fingerprint[:12]}" in error.what


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"blocks": 0}, "--blocks 0: too small"),
        ({"first": -1}, "--first -1: too small"),
        ({"epoch": -1}, "--epoch -1: too small"),
        ({"length": 7}, "--length 7: must be from 8 to 65,535"),
        ({"length": 1 << 16}, "--length 65536: must be from 8 to 65,535"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path, flags, said):
    with pytest.raises(UserError) as caught:
        config_of(tmp_path, **flags)

    assert caught.value.what == said
