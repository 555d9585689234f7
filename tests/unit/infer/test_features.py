import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.infer.features.states import Extractor, text_features, token_features
from unmask.model import weights
from unmask.model.heads import SequenceClassifier

TEXTS = ["the cat sat", "", "big", "我爱北京天安门 and the mat", "the dog and the cat, the fish"]


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_alone_together_and_in_any_order_the_features_are_the_same(tiny, pooling):
    settings = {"layers": (-1, 0, 2), "pooling": pooling}
    together = text_features(tiny.extractor, TEXTS, **settings)
    reversed_ = text_features(tiny.extractor, TEXTS[::-1], **settings)[::-1]
    alone = np.concatenate([text_features(tiny.extractor, [text], **settings) for text in TEXTS])

    assert together.shape == (5, 3, 32)
    assert together.dtype == np.float32
    assert alone == pytest.approx(together, abs=1e-5)
    assert reversed_ == pytest.approx(together, abs=1e-5)


def test_a_far_longer_neighbour_changes_nothing(tiny):
    alone = token_features(tiny.extractor, ["big cat"])[0]
    beside = token_features(tiny.extractor, ["big cat", "the cat " * 15])[0]

    assert beside.tokens == alone.tokens
    assert beside.vectors_KTD.shape == (1, len(alone.tokens), 32)
    assert beside.vectors_KTD == pytest.approx(alone.vectors_KTD, abs=1e-5)


def test_pooled_features_are_those_of_the_tokens(tiny):
    tokens = token_features(tiny.extractor, TEXTS, TEXTS[::-1])
    first_NKD = text_features(tiny.extractor, TEXTS, TEXTS[::-1], pooling="first")
    mean_NKD = text_features(tiny.extractor, TEXTS, TEXTS[::-1])

    for number, item in enumerate(tokens):
        assert first_NKD[number] == pytest.approx(item.vectors_KTD[:, 0])
        assert mean_NKD[number] == pytest.approx(item.vectors_KTD.mean(1), abs=1e-6)
        assert item.offsets[0] == (0, 0)


def test_negative_layers_count_from_the_last(tiny):
    ahead = text_features(tiny.extractor, TEXTS, layers=(3, 2, 1, 0))
    back = text_features(tiny.extractor, TEXTS, layers=(-1, -2, -3, -4))

    assert np.array_equal(ahead, back)
    assert not np.allclose(ahead[:, 0], ahead[:, 1])


@pytest.mark.parametrize("layer", [4, -5])
def test_a_layer_there_is_not_is_refused(tiny, layer):
    with pytest.raises(UserError, match=f"layer {layer}: the model has 3 blocks") as caught:
        text_features(tiny.extractor, TEXTS, layers=(-1, layer))

    assert caught.value.hint == "choose 0 (the embedding) to 3, or -1 (the last) to -4"


def test_no_layers_are_refused(tiny):
    with pytest.raises(UserError, match="no layers"):
        token_features(tiny.extractor, TEXTS, layers=())


def test_texts_that_are_cut_are_counted(tiny, capsys):
    text_features(tiny.extractor, ["the cat " * 40, "cat"])

    assert "1 of 2 texts were cut to 48 tokens" in capsys.readouterr().err


def test_any_model_folder_has_features_whatever_its_head(tiny, tmp_path):
    classifier = SequenceClassifier(tiny.model.config, ("no", "yes"))
    classifier.encoder = tiny.model.encoder
    weights.save(classifier, tmp_path)
    tiny.tokenizer.save(tmp_path)

    found = text_features(Extractor.open(tmp_path), TEXTS)

    assert found == pytest.approx(text_features(tiny.extractor, TEXTS), abs=1e-6)


def test_no_texts_have_no_features(tiny):
    assert text_features(tiny.extractor, []).shape == (0, 1, 32)
    assert token_features(tiny.extractor, []) == []
