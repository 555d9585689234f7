import numpy as np
import pytest
from tokenizers.pre_tokenizers import ByteLevel

from unmask.core.errors import UserError
from unmask.infer.backend import open_backend
from unmask.infer.engine_config import AS_MADE, EngineConfig
from unmask.infer.pipelines import Classifier, MaskFiller, Pipeline, softmax
from unmask.infer.torch_backend import TorchBackend
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, SequenceClassifier
from unmask.model.init import initialise
from unmask.tokenizer.build import byte_level_bpe


@pytest.fixture(scope="module")
def tokenizer():
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])


def small(kind, tokenizer, *labels):
    config = ModelConfig(
        family="roberta",
        vocabulary=tokenizer.vocabulary,
        layers=2,
        width=32,
        heads=2,
        feed_forward=64,
        max_length=40,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )
    model = kind(config, *labels)
    initialise(model, 0)
    return model


@pytest.fixture
def filler(tokenizer):
    backend = TorchBackend(small(MaskedLM, tokenizer))
    return Pipeline(backend, tokenizer, 40, MaskFiller(tokenizer, top_k=3))


@pytest.fixture
def classifier(tokenizer):
    labels = ("no", "yes")
    backend = TorchBackend(small(SequenceClassifier, tokenizer, labels))
    return Pipeline(backend, tokenizer, 40, Classifier(labels))


TEXTS = ["one <mask>", "a longer <mask> with <mask> two", "<mask>", "mid <mask> size"]


def test_a_batch_answers_as_single_texts_do(filler, classifier):
    for pipeline in (filler, classifier):
        together = list(pipeline(TEXTS))
        alone = [next(iter(pipeline([text]))) for text in TEXTS]

        for one, other in zip(together, alone, strict=True):
            assert flat(one) == pytest.approx(flat(other), abs=1e-6)


def flat(answer):
    if "scores" in answer:
        return answer["scores"]
    return {
        (number, item["id"]): item["probability"]
        for number, mask in enumerate(answer["masks"])
        for item in mask
    }


def test_every_mask_gets_its_own_candidates(filler):
    answer = next(iter(filler(["a <mask> b <mask>"])))

    assert len(answer["masks"]) == 2
    assert flat({"masks": answer["masks"][:1]}) != flat({"masks": answer["masks"][1:]})
    for mask in answer["masks"]:
        chances = [item["probability"] for item in mask]
        assert len(chances) == 3
        assert chances == sorted(chances, reverse=True)
    best = [mask[0]["token"] for mask in answer["masks"]]
    assert answer["filled"] == f"a{best[0]} b{best[1]}".strip()


def test_a_text_without_a_mask_or_with_it_cut_off_is_refused(filler):
    with pytest.raises(UserError, match="no <mask> in its first 6 tokens"):
        list(filler(["text"]))
    with pytest.raises(UserError, match="no <mask> in its first 40 tokens"):
        list(filler(["x" * 50 + "<mask>"]))


def test_a_text_that_was_cut_says_so(classifier):
    short, long = classifier(["short", "long" * 30])

    assert "truncated" not in short
    assert long["truncated"] is True


def test_pairs_are_answered_as_pairs(classifier):
    answer = next(iter(classifier(["left"], ["right"])))

    assert (answer["text"], answer["pair"]) == ("left", "right")
    assert sum(answer["scores"].values()) == pytest.approx(1)
    assert answer["scores"] != next(iter(classifier(["left"])))["scores"]


def test_softmax_holds_for_large_numbers():
    assert softmax(np.array([1e4, 1e4, -1e4], dtype=np.float32)).tolist() == [0.5, 0.5, 0.0]


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"holds neither config\.json nor model\.onnx"):
        open_backend(tmp_path, AS_MADE, many=True)


def test_an_onnx_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"nonsense")

    with pytest.raises(UserError, match="ONNX Runtime cannot load it") as caught:
        open_backend(tmp_path, AS_MADE, many=True)

    assert "unmask export" in caught.value.hint


def test_a_card_is_refused_where_the_runtime_has_none(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"")

    with pytest.raises(
        UserError, match=r"--engine.device cuda: onnxruntime runs .* on the processor"
    ):
        open_backend(tmp_path, EngineConfig(device="cuda"), many=True)
