import functools

import pytest
from transformers import AddedToken, AutoTokenizer, BertTokenizer, RobertaTokenizer

from unmask.tokenizer import imports
from unmask.tokenizer.train import train

NASTY = [
    "",
    " ",
    "Hello world!",
    "  leading, trailing and   many spaces   ",
    "tabs\tand\nline\r\nends\n\n",
    "family 👩‍👩‍👧‍👦 flag 🏳️‍🌈 skin 👍🏽",
    "e\u0301 is é, Z̷̡̛a̶l̵g̸o̵, Å and Å",
    "مرحبا بالعالم \u202eשלום\u202c",
    "中文字符与English混排，日本語のテキスト 한국어",
    "control \x00\x01\x07\x1b[0m\x7f\x85 and \ufeff\u200b\ufffd",
    "no\u00a0break\u202fspaces\u3000wide\u2028lines",
    "a <mask> b<mask>c  <mask>",
    "<s>bold</s> <pad><unk> [CLS] [MASK] [SEP]",
    "don't we'll I'VE 1234567 3.14e-10 $£€",
    "NAÏVE Café İstanbul ǅ ß",
    "x" * 10_000,
    "é猫" * 5_000,
    "\U0010ffff\ue000",
]

WORD_PIECE = {
    "wordpiece/bert-base-cased": False,
    "wordpiece/bert-base-uncased": True,
    "wordpiece/bert-base-chinese": True,
}
VOCABULARIES = pytest.mark.parametrize("vocabulary", ["bpe/roberta", *WORD_PIECE])


@functools.cache
def ours(shared_data, vocabulary):
    source = imports.find(shared_data / vocabulary)
    return imports.read(source, lowercase=WORD_PIECE.get(vocabulary))


@functools.cache
def theirs(shared_data, vocabulary):
    if vocabulary in WORD_PIECE:
        path = str(shared_data / vocabulary / "vocab.txt")
        return BertTokenizer(vocab=path, do_lower_case=WORD_PIECE[vocabulary])
    folder = shared_data / "bpe/roberta"
    return RobertaTokenizer(
        vocab=str(folder / "vocab.json"),
        merges=str(folder / "merges.txt"),
        # as the tokenizer_config.json of roberta-base has it; the class alone does not
        mask_token=AddedToken("<mask>", lstrip=True, normalized=False, special=True),
    )


def assert_same(tokenizer, reference, texts, pairs=None, max_length=None):
    encodings = tokenizer.encode(texts, pairs, max_length=max_length)
    expected = reference(
        texts,
        pairs,
        max_length=max_length,
        truncation="longest_first" if max_length else False,
        return_offsets_mapping=True,
        return_token_type_ids=True,
        return_special_tokens_mask=True,
    )
    for row, text in enumerate(texts):
        encoding = encodings[row]
        assert encoding.ids == expected["input_ids"][row], text[:80]
        assert encoding.offsets == expected["offset_mapping"][row], text[:80]
        assert encoding.type_ids == expected["token_type_ids"][row], text[:80]
        assert encoding.special_tokens_mask == expected["special_tokens_mask"][row], text[:80]


@VOCABULARIES
def test_ids_and_offsets_are_equal_on_nasty_text(shared_data, vocabulary):
    tokenizer, reference = ours(shared_data, vocabulary), theirs(shared_data, vocabulary)

    assert_same(tokenizer, reference, NASTY)
    assert_same(tokenizer, reference, NASTY, NASTY[::-1])
    assert_same(tokenizer, reference, NASTY, max_length=7)
    assert_same(tokenizer, reference, NASTY, NASTY[::-1], max_length=11)


@VOCABULARIES
def test_special_tokens_are_equal(shared_data, vocabulary):
    tokenizer, reference = ours(shared_data, vocabulary), theirs(shared_data, vocabulary)

    assert tokenizer.vocabulary == len(reference)
    assert tokenizer.special_ids == tuple(sorted(reference.all_special_ids))
    assert tokenizer.mask_token == reference.mask_token
    assert (
        tokenizer.bos_id,
        tokenizer.eos_id,
        tokenizer.pad_id,
        tokenizer.unk_id,
        tokenizer.mask_id,
    ) == (
        reference.cls_token_id,
        reference.sep_token_id,
        reference.pad_token_id,
        reference.unk_token_id,
        reference.mask_token_id,
    )


@VOCABULARIES
def test_lines_are_the_ids_without_special_tokens(shared_data, vocabulary):
    tokenizer, reference = ours(shared_data, vocabulary), theirs(shared_data, vocabulary)

    expected = reference(NASTY, add_special_tokens=False, split_special_tokens=True)
    assert tokenizer.encode_lines(NASTY) == expected["input_ids"]


@VOCABULARIES
def test_saved_folder_reloads_in_transformers_with_the_same_ids(shared_data, vocabulary, tmp_path):
    tokenizer = ours(shared_data, vocabulary)
    tokenizer.save(tmp_path, model_max_length=128)
    reloaded = AutoTokenizer.from_pretrained(tmp_path)

    assert type(reloaded) is (BertTokenizer if vocabulary in WORD_PIECE else RobertaTokenizer)
    assert reloaded.model_max_length == 128
    assert_same(tokenizer, reloaded, NASTY, NASTY[::-1])


@VOCABULARIES
def test_saved_vocabulary_files_reload_without_tokenizer_json(shared_data, vocabulary, tmp_path):
    tokenizer = ours(shared_data, vocabulary)
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer.json").unlink()

    assert_same(tokenizer, AutoTokenizer.from_pretrained(tmp_path), NASTY, NASTY[::-1])


@VOCABULARIES
def test_folder_that_transformers_saved_comes_over(shared_data, vocabulary, tmp_path):
    reference = theirs(shared_data, vocabulary)
    reference(["so that it", "saves its state"], padding=True, truncation=True, max_length=3)
    reference.save_pretrained(tmp_path)
    tokenizer = imports.read(imports.find(tmp_path))

    assert tokenizer.encode_lines(NASTY) == ours(shared_data, vocabulary).encode_lines(NASTY)
    assert_same(tokenizer, reference, NASTY, NASTY[::-1])


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Hello world!", [0, 31414, 232, 328, 2]),
        ("Hello world", [0, 31414, 232, 2]),
        (" world", [0, 232, 2]),
        ("world", [0, 8331, 2]),
    ],
)
def test_known_ids_of_roberta(shared_data, text, ids):
    assert ours(shared_data, "bpe/roberta").encode([text])[0].ids == ids


def test_fairseq_files_give_robertas_tokenizer(shared_data):
    fairseq = ours(shared_data, "bpe/gpt2_bpe")

    assert fairseq.vocabulary == 50265
    assert fairseq.fingerprint == ours(shared_data, "bpe/roberta").fingerprint


def test_trained_tokenizer_reloads_in_transformers_with_the_same_ids(tmp_path):
    tokenizer = train([line for text in NASTY[:15] for line in text.split("\n")] * 2, 400)
    tokenizer.save(tmp_path)
    reloaded = AutoTokenizer.from_pretrained(tmp_path)

    assert len(reloaded) == 400
    assert reloaded.mask_token_id == 399
    assert_same(tokenizer, reloaded, NASTY)
    assert_same(tokenizer, reloaded, NASTY, NASTY[::-1], max_length=9)
    for ids in tokenizer.encode_lines(NASTY):
        assert tokenizer.decode(ids) == reloaded.decode(ids)
