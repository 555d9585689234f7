"""Model folders: what we write transformers reads, and the other way round, byte for byte."""

import pytest
import torch

from unmask.core import files
from unmask.model import heads, huggingface, tensors, weights
from unmask.model.config import ModelConfig
from unmask.model.init import initialise

transformers = pytest.importorskip("transformers")

LABELS = ("good", "bad", "so-so")
AUTO = {
    heads.MaskedLM: "AutoModelForMaskedLM",
    heads.SequenceClassifier: "AutoModelForSequenceClassification",
    heads.TokenClassifier: "AutoModelForTokenClassification",
    heads.SpanExtractor: "AutoModelForQuestionAnswering",
    heads.MultipleChoice: "AutoModelForMultipleChoice",
}
both_families = pytest.mark.parametrize("family", ["roberta", "bert"])
every_head = pytest.mark.parametrize("kind", AUTO)


@pytest.fixture(autouse=True)
def _no_progress_bars():
    transformers.utils.logging.disable_progress_bar()


def config_of(family):
    roberta = family == "roberta"
    return ModelConfig(
        family=family,
        vocabulary=37,
        layers=2,
        width=32,
        heads=4,
        feed_forward=48,
        max_length=14,
        types=1 if roberta else 2,
        norm_eps=1e-5 if roberta else 1e-12,
        classifier_dropout=0.3,
        pad_id=1 if roberta else 0,
        bos_id=0 if roberta else None,
        eos_id=2 if roberta else None,
    )


def our_model(family, kind):
    model = heads.build(kind, config_of(family), LABELS if "Classif" in kind.__name__ else ())
    initialise(model, seed=0)
    return model.eval()


def their_model(family, kind, folder):
    """Let transformers make a model of this class with random weights and write it."""
    table = huggingface.to_table(our_model(family, kind))
    config = transformers.AutoConfig.for_model(**table)
    model = getattr(transformers, AUTO[kind]).from_config(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    model.save_pretrained(folder)
    return model


def outputs_of(model, ids):
    """All outputs of a model of either side, as one tuple."""
    found = model(ids)
    if isinstance(found, dict):
        return tuple(x for name, x in found.items() if name.endswith("logits"))
    return found if isinstance(found, tuple) else (found,)


def ids_for(kind):
    ids = torch.randint(4, 37, (2, 3, 9))
    return ids if kind is heads.MultipleChoice else ids[0]


def assert_same_outputs(ours, theirs, kind):
    ids = ids_for(kind)
    for a, b in zip(outputs_of(ours, ids), outputs_of(theirs, ids), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-5)


@every_head
@both_families
def test_transformers_loads_what_we_save_without_a_missing_or_unexpected_tensor(
    family, kind, tmp_path
):
    ours = our_model(family, kind)
    weights.save(ours, tmp_path)

    auto = getattr(transformers, AUTO[kind])
    theirs, report = auto.from_pretrained(tmp_path, output_loading_info=True)

    assert not any(report.values()), report
    assert_same_outputs(ours, theirs.eval(), kind)
    if "Classif" in kind.__name__:
        assert theirs.config.id2label == dict(enumerate(LABELS))
        assert theirs.config.label2id == {label: index for index, label in enumerate(LABELS)}


@every_head
@both_families
def test_saving_what_transformers_wrote_gives_the_same_bytes_back(family, kind, tmp_path):
    theirs = their_model(family, kind, tmp_path / "theirs")

    ours = weights.load(tmp_path / "theirs", kind)
    weights.save(ours, tmp_path / "ours")

    old, new = (tmp_path / side / "model.safetensors" for side in ("theirs", "ours"))
    assert new.read_bytes() == old.read_bytes()
    assert_same_outputs(ours.eval(), theirs, kind)


@every_head
@both_families
def test_config_json_says_what_transformers_would_say(family, kind, tmp_path):
    their_model(family, kind, tmp_path / "theirs")
    weights.save(weights.load(tmp_path / "theirs", kind), tmp_path / "ours")

    theirs, ours = (files.read_json(tmp_path / side / "config.json") for side in ("theirs", "ours"))

    assert ours == {
        k: v for k, v in theirs.items() if k not in ("transformers_version", "use_cache")
    }
    assert weights.read_config(tmp_path / "ours") == config_of(family)
    assert weights.head_of(tmp_path / "theirs") is kind


def test_a_sharded_folder_is_read_as_one(tmp_path):
    theirs = their_model("roberta", heads.MaskedLM, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    theirs.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1

    assert_same_outputs(weights.load(tmp_path, heads.MaskedLM).eval(), theirs, heads.MaskedLM)


def test_half_precision_is_widened_to_the_same_numbers(tmp_path):
    theirs = their_model("bert", heads.SpanExtractor, tmp_path)
    theirs.to(torch.bfloat16).save_pretrained(tmp_path)

    ours = weights.load(tmp_path, heads.SpanExtractor).eval()

    assert_same_outputs(ours, theirs.float(), heads.SpanExtractor)


def test_the_pretraining_class_of_bert_is_read_without_its_sentence_head(tmp_path):
    config = transformers.AutoConfig.for_model(
        **huggingface.to_table(our_model("bert", heads.MaskedLM))
    )
    theirs = transformers.BertForPreTraining(config).eval()
    theirs.save_pretrained(tmp_path)

    assert weights.head_of(tmp_path) is heads.MaskedLM
    ours = weights.load(tmp_path, heads.MaskedLM).eval()

    ids_BL = ids_for(heads.MaskedLM)
    expected = theirs(ids_BL).prediction_logits
    torch.testing.assert_close(ours(ids_BL), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["RobertaModel", "BertModel"])
def test_a_folder_of_the_bare_encoder_can_be_started_from(name, tmp_path):
    family = "roberta" if name == "RobertaModel" else "bert"
    table = huggingface.to_table(our_model(family, heads.MaskedLM))
    theirs = getattr(transformers, name)(transformers.AutoConfig.for_model(**table)).eval()
    theirs.save_pretrained(tmp_path)

    ours = weights.load_encoder(tmp_path, heads.SequenceClassifier, LABELS).eval()

    ids_BL = ids_for(heads.SequenceClassifier)
    expected = theirs(ids_BL)
    torch.testing.assert_close(ours.encoder(ids_BL), expected[0], rtol=0, atol=2e-5)
    if family == "bert":
        pooled_BD = torch.tanh(ours.dense(ours.encoder(ids_BL)[:, 0]))
        torch.testing.assert_close(pooled_BD, expected.pooler_output, rtol=0, atol=2e-5)


@pytest.mark.parametrize("kind", [heads.SequenceClassifier, heads.SpanExtractor])
@both_families
def test_fine_tuning_starts_from_the_encoder_that_transformers_would_take(family, kind, tmp_path):
    weights.save(our_model(family, heads.MaskedLM), tmp_path)
    labels = LABELS if kind is heads.SequenceClassifier else ()

    ours = weights.load_encoder(tmp_path, kind, labels)
    auto = getattr(transformers, AUTO[kind])
    theirs = auto.from_pretrained(tmp_path, num_labels=len(labels) or 2)

    found = tensors.split(ours.state_dict(), huggingface.names(ours))
    for name, tensor in theirs.state_dict().items():
        if name.startswith(f"{family}.") and "pooler" not in name:
            assert torch.equal(found[name], tensor), name


def pretraining_model():
    model = heads.Pretraining(config_of("bert"))
    initialise(model, seed=0)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):  # so that one in the wrong place is seen
            torch.nn.init.normal_(parameter)
    return model.eval()


def pairs():
    """Ids with padding, its mask, the segments and the positions that are asked for."""
    ids_BL = torch.randint(4, 37, (3, 9))
    mask_BL = torch.arange(9) < torch.tensor([[9], [7], [5]])
    types_BL = ((torch.arange(9) >= 4) & mask_BL).long()
    ids_BL[~mask_BL] = 0
    return ids_BL, mask_BL, types_BL, torch.tensor([1, 3, 11, 19, 22])


def test_transformers_loads_both_heads_of_bert_and_answers_as_we_do(tmp_path):
    ours = pretraining_model()
    weights.save(ours, tmp_path)

    auto = transformers.AutoModelForPreTraining
    theirs, report = auto.from_pretrained(tmp_path, output_loading_info=True)

    assert type(theirs) is transformers.BertForPreTraining
    assert not any(report.values()), report
    ids_BL, mask_BL, types_BL, positions_M = pairs()
    found = theirs.eval()(ids_BL, mask_BL.long(), types_BL)
    logits_MV, follows_B2 = ours(ids_BL, mask_BL, types_BL, positions_M)
    expected_MV = found.prediction_logits.flatten(0, 1)[positions_M]
    torch.testing.assert_close(logits_MV, expected_MV, rtol=0, atol=2e-5)
    torch.testing.assert_close(follows_B2, found.seq_relationship_logits, rtol=0, atol=2e-5)


def test_what_transformers_wrote_with_both_heads_comes_back_byte_for_byte(tmp_path):
    config = transformers.AutoConfig.for_model(**huggingface.to_table(pretraining_model()))
    transformers.BertForPreTraining(config).save_pretrained(tmp_path / "theirs")

    ours, has_head = weights.load_pretraining(tmp_path / "theirs")
    weights.save(ours, tmp_path / "ours")

    assert has_head
    old, new = (tmp_path / side / "model.safetensors" for side in ("theirs", "ours"))
    assert new.read_bytes() == old.read_bytes()
    theirs, ours_table = (
        files.read_json(tmp_path / side / "config.json") for side in ("theirs", "ours")
    )
    ignored = ("transformers_version", "use_cache")
    assert ours_table == {name: value for name, value in theirs.items() if name not in ignored}
