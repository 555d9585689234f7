from pathlib import Path

from tokenizers.pre_tokenizers import ByteLevel

from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.setup import model_config
from unmask.tokenizer.build import byte_level_bpe, word_piece


def tokenizers_of_both_families():
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]
    yield byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])
    yield word_piece({token: id_ for id_, token in enumerate(pieces)}, lowercase=True)


def test_a_model_takes_family_vocabulary_and_padding_from_its_tokenizer():
    config = PretrainConfig(tokens=Path("t"), out=Path("o"))

    roberta, bert = (model_config(config, each) for each in tokenizers_of_both_families())

    assert (roberta.family, roberta.vocabulary, roberta.pad_id) == ("roberta", 261, 1)
    assert (roberta.norm_eps, roberta.types, roberta.position_rows) == (1e-5, 1, 514)
    assert (bert.family, bert.vocabulary, bert.pad_id) == ("bert", 6, 0)
    assert (bert.norm_eps, bert.types, bert.position_rows) == (1e-12, 2, 512)


def test_a_family_that_is_asked_for_is_taken():
    config = PretrainConfig(tokens=Path("t"), out=Path("o"), family="roberta")

    _, word_pieces = tokenizers_of_both_families()

    assert model_config(config, word_pieces).family == "roberta"
