"""Exports are held to their source's score: labels here are what the source itself answers."""

import json
import random

import numpy as np
import pytest
import torch
from tokenizers.pre_tokenizers import ByteLevel

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.export.config import ExportConfig, Int8Config
from unmask.export.run import run
from unmask.finetune.data_config import ColumnsConfig
from unmask.infer import evaluate
from unmask.infer.config import EvaluateConfig
from unmask.infer.engine_config import EngineConfig
from unmask.infer.pipelines import Pipeline
from unmask.infer.tasks.entities import EntityFinder
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, SequenceClassifier, TokenClassifier
from unmask.model.init import initialise
from unmask.tokenizer.build import byte_level_bpe

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")

LABELS = ("no", "maybe", "yes")
TAGS = ("O", "B-A", "I-A", "B-B", "I-B")
FACTS = {"task": "table", "metric": "accuracy", "max_length": 60}
WORDS = "cat dog river house sees finds under over big small the a red blue".split()  # noqa: SIM905


def tokenizer():
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])


def saved(folder, kind, *labels, facts=None, outliers=1.0):
    """Write a model folder; channels of values are scaled up, and down again right after."""
    words = tokenizer()
    config = ModelConfig(
        family="roberta",
        vocabulary=words.vocabulary,
        layers=3,
        width=64,
        heads=4,
        feed_forward=128,
        max_length=64,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )
    model = kind(config, *labels)
    initialise(model, 0)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for block in model.encoder.blocks:
            block.attention.qkv.weight[2 * 64 : 2 * 64 + 2] *= outliers
            block.attention.qkv.bias[2 * 64 : 2 * 64 + 2] *= outliers
            block.attention.out.weight[:, :2] /= outliers
    weights.save(model, folder)
    words.save(folder)
    if facts is not None:
        manifests.write(folder, "finetune", {}, [], facts)
    return folder


def sentences(count, seed):
    dice = random.Random(seed)
    return [" ".join(dice.choices(WORDS, k=dice.randint(2, 9))) for _ in range(count)]


def table(path, texts, labels):
    rows = (
        json.dumps({"text": one, "label": label}) for one, label in zip(texts, labels, strict=True)
    )
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A classifier, and a table of its own answers."""
    folder = tmp_path_factory.mktemp("classifier")
    saved(folder / "model", SequenceClassifier, LABELS, facts=FACTS)
    texts = sentences(150, 0)
    answers = [answer["label"] for answer in Pipeline.open(folder / "model")(texts)]
    assert len(set(answers)) > 1
    table(folder / "dev.jsonl", texts, answers)
    table(folder / "train.jsonl", sentences(150, 1), ["no"] * 150)
    return folder


def export(folder, out, **settings):
    settings = {"data": folder / "dev.jsonl"} | settings
    run(ExportConfig(model=folder / "model", out=out, **settings))
    return json.loads((out / "contract.json").read_text())


def eight_bits(folder, out, **settings):
    given = {"calibration": folder / "train.jsonl", "max_drop": 3.0} | settings
    return export(folder, out, precision="int8", **given)


@pytest.mark.parametrize(
    ("to", "precision"),
    [
        ("onnx", "fp32"),
        ("onnx", "fp16"),
        ("openvino", "fp32"),
        ("openvino", "fp16"),
        ("pt2", "fp32"),
        ("torchscript", "fp32"),
    ],
)
def test_a_faithful_export_gets_the_sources_score(classifier, tmp_path, to, precision):
    contract = export(classifier, tmp_path / "out", to=to, precision=precision, max_drop=2.0)

    assert contract["scores"]["source"]["accuracy"] == 1.0
    assert contract["scores"]["export"]["accuracy"] == contract["parity"]["same_argmax"]
    assert contract["parity"]["compared"] == 150
    worst = contract["parity"]["max_difference"]
    assert worst < 1e-4 if precision == "fp32" else 1e-5 < worst < 0.1


@pytest.mark.parametrize("to", ["onnx", "openvino"])
@pytest.mark.parametrize("range_", ["min-max", "percentile", "mse", "entropy"])
def test_8_bits_by_every_range(classifier, tmp_path, to, range_):
    int8 = Int8Config(texts=120, range=range_)
    contract = eight_bits(classifier, tmp_path / "out", to=to, int8=int8)

    bits = contract["int8"]
    assert (bits["texts"], bits["range"]) == (120, range_)
    assert bits["share"] >= 0.5
    assert len(bits["ranking"]) == 12
    damages = [one["damage"] for one in bits["ranking"]]
    assert damages == sorted(damages, reverse=True)
    assert contract["drop"] <= 3.0
    source = (classifier / "model" / "model.safetensors").stat().st_size
    assert contract["bytes"].get("model.onnx", 0) < source


def test_the_contracts_score_comes_out_again(classifier, tmp_path, capsys):
    out = tmp_path / "out"
    contract = eight_bits(classifier, out)

    evaluate.run(EvaluateConfig(model=out, data=classifier / "dev.jsonl"))

    printed = json.loads(capsys.readouterr().out)
    expected = contract["scores"]["export"]
    assert {name: printed[name] for name in expected} == expected
    assert printed["model_sha256"] == contract["sha256"]["export"]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_static_8_bits_answer_a_batch_as_its_texts_alone(classifier, tmp_path, runtime):
    eight_bits(classifier, tmp_path / "out")
    pipeline = Pipeline.open(tmp_path / "out", EngineConfig(runtime=runtime, precision=None))
    texts = sentences(12, 5)

    together = [list(answer["scores"].values()) for answer in pipeline(texts)]
    alone = [list(next(iter(pipeline([text])))["scores"].values()) for text in texts]

    assert np.abs(np.subtract(together, alone)).max() < 2e-2


def test_a_score_that_cannot_be_kept_fails_and_writes_nothing(classifier, tmp_path):
    whole = Int8Config(least_share=1.0, range="min-max")

    with pytest.raises(UserError, match=r"the 8-bit model loses .* nothing was written"):
        eight_bits(classifier, tmp_path / "out", max_drop=0.0, int8=whole)

    assert not (tmp_path / "out").exists()


def test_few_texts_to_calibrate_on_are_refused(classifier, tmp_path):
    table(tmp_path / "few.jsonl", sentences(99, 1), ["no"] * 99)

    with pytest.raises(UserError, match="99"):
        eight_bits(classifier, tmp_path / "out", calibration=tmp_path / "few.jsonl")


def test_one_shape_takes_all_texts(classifier, tmp_path, capsys):
    contract = export(classifier, tmp_path / "out", shape=(4, 40))

    assert contract["shape"] == [4, 40]
    assert contract["drop"] <= 0.7
    evaluate.run(EvaluateConfig(model=tmp_path / "out", data=classifier / "dev.jsonl"))
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.99


def test_what_nothing_is_known_of_needs_data(classifier, tmp_path):
    with pytest.raises(UserError, match="nothing to score it on is known") as caught:
        run(ExportConfig(model=classifier / "model", out=tmp_path / "out"))

    assert "give --data" in caught.value.hint


def test_masked_words_measure_a_language_model(tmp_path):
    folder = tmp_path / "case"
    saved(folder / "model", MaskedLM)
    (folder / "texts.txt").write_text("\n".join(sentences(120, 0)) + "\n")

    for precision in ("fp32", "int8"):
        given = {"data": folder / "texts.txt", "precision": precision, "max_drop": 3.0}
        contract = export(folder, tmp_path / precision, **given)
        assert contract["metric"] == "masked_accuracy"
        assert contract["parity"]["compared"] > 200
        assert contract["parity"]["same_argmax"] > 0.9


def entity_case(folder, outliers):
    """A model of entities whose value channels are outliers, and a file of its own answers."""
    facts = {"task": "ner", "metric": "accuracy", "max_length": 60}
    saved(folder / "model", TokenClassifier, TAGS, facts=facts, outliers=outliers)
    finder = EntityFinder.open(folder / "model")
    for split, seed in (("train", 1), ("dev", 0)):
        lines = []
        for text in sentences(150, seed):
            lines += [f"{word} O" for word in text.split()] + [""]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return finder


@pytest.mark.parametrize("outliers", [1.0, 300.0])
def test_planted_outliers_destroy_plain_8_bits_and_not_ours(tmp_path, monkeypatch, outliers):
    """Channels of the values are scaled up and scaled down again by the next layer's weights."""
    from unmask.export.int8 import making

    entity_case(tmp_path, outliers)
    ours = agreement(tmp_path, tmp_path / "ours")
    whole = making.plan

    def plain(*given, **settings):
        found = whole(*given, **settings)
        observed = given[1]
        return {name: Quantised(*step(observed[name].low, observed[name].high)) for name in found}

    from unmask.export.int8.plan import Quantised
    from unmask.export.int8.ranges import step

    monkeypatch.setattr(making, "plan", plain)
    theirs = agreement(tmp_path, tmp_path / "plain")

    assert ours > 0.97
    if outliers > 1:
        assert theirs < 0.8
    else:
        assert theirs > 0.95


def agreement(folder, out):
    """The share of tokens that are tagged as by the source, every layer in 8 bits."""
    data, calibration = folder / "dev.txt", folder / "train.txt"
    contract = eight_bits(folder, out, data=data, calibration=calibration, max_drop=100)
    assert not contract["int8"]["put_back"]
    return contract["parity"]["same_argmax"]


def test_the_columns_of_a_table_are_told(classifier, tmp_path):
    rows = [json.loads(line) for line in (classifier / "dev.jsonl").read_text().splitlines()]
    path = tmp_path / "dev.jsonl"
    path.write_text("\n".join(json.dumps({"x": row["text"], "y": row["label"]}) for row in rows))

    columns = ColumnsConfig(text="x", label="y")
    contract = export(classifier, tmp_path / "out", data=path, columns=columns)

    assert contract["scores"]["export"]["accuracy"] == 1.0
    page = (tmp_path / "out" / "contract.md").read_text()
    assert "loses 0.00 points of accuracy; at most 0.3 may be lost" in page
    assert "| accuracy | 1.0000 | 1.0000 |" in page
