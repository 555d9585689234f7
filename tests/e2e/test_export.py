"""Exports by the command line: made, contracted, and taken as a model is."""

import json

import pytest

pytestmark = pytest.mark.e2e

EIGHT_BITS = ("--precision", "int8", "--max-drop", "5")


def contract(line, name):
    return json.loads((line.folder / name / "contract.json").read_text())


@pytest.fixture(scope="module")
def int8(line):
    """Data and settings are those of the fine-tuning: nothing but the model is named."""
    done = line.good("export", "--model", "finetune/model", *EIGHT_BITS, "--out", "int8")
    return done.stderr


def test_8_bits_need_no_more_than_the_model(line, int8):
    made = contract(line, "int8")

    assert made["metric"] == "accuracy"
    assert made["drop"] <= made["max_drop"] == 5
    assert made["int8"]["texts"] == 120
    assert made["fused"]["MatMulIntegerToFloat"] > 0
    assert f"{made['metric']}: " in int8
    assert "# Contract: onnx, int8" in (line.folder / "int8" / "contract.md").read_text()


def test_evaluate_gives_the_contracts_scores_again(line, int8):
    done = line.good("evaluate", "--model", "int8", "--data", "task")

    found, expected = json.loads(done.stdout), contract(line, "int8")["scores"]["export"]
    assert {name: found[name] for name in expected} == expected


def test_an_export_answers_texts_and_files(line, int8):
    alone = line.good("predict", "--model", "int8", "--text", "The cat sees the dog in the river.")
    by_file = line.good("predict", "--model", "int8", "--input", "task/dev.jsonl")

    assert json.loads(alone.stdout)["label"] in ("land", "water")
    assert len(by_file.stdout.splitlines()) == 40


def test_what_was_done_is_not_done_again(line, int8):
    again = line.good("export", "--model", "finetune/model", *EIGHT_BITS, "--out", "int8")

    assert "done already" in again.stderr


def test_onnx_runtimes_fusions_have_happened(line):
    fused = contract(line, "export")["fused"]

    assert fused["SkipLayerNormalization"] == 2 * fused["BiasGelu"] > 0
    assert fused["FusedMatMul"] == fused["BiasGelu"]


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        (("--model", "pretrain/model"), "a masked language model, and nothing to compare it on"),
        (("--model", "nowhere"), "nowhere: no such folder"),
        (("--model", "finetune/model", "--shape", "1", "512"), "reads at most"),
        (("--model", "finetune/model", "--data", "none.tsv"), "none.tsv"),
        (
            ("--model", "finetune/model", "--engine.runtime", "openvino"),
            "unknown option --engine.runtime",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_exported_is_told_in_one_line(line, flags, error):
    done = line("export", *flags, "--out", "refused")

    assert done.returncode == 2
    assert error in done.stderr
    assert "Traceback" not in done.stderr
    assert not (line.folder / "refused").exists()
