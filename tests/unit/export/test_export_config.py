"""Settings of an export that contradict one another."""

from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.export.config import ExportConfig, Int8Config

HERE = Path()


def config(**settings):
    return ExportConfig(model=HERE, out=HERE, **settings)


@pytest.mark.parametrize(
    ("settings", "what", "hint"),
    [
        ({"tolerance": 0}, "--tolerance 0: must be positive", "1e-4"),
        ({"max_drop": -1}, "--max-drop -1: must not be negative", "0.3"),
        ({"shape": (0, 5)}, "--shape 0 5: too small", "1 or more"),
        ({"precision": "int8", "to": "pt2"}, "--precision int8 with --to pt2", "onnx or openvino"),
        ({"precision": "bf16"}, "--precision bf16 with --to onnx", "--to openvino"),
        ({"int8": Int8Config(range="mse")}, "--int8 with --to onnx --precision fp32", "int8"),
        ({"calibration": HERE}, "--calibration with --to onnx --precision fp32", "int8"),
        (
            {"precision": "fp16", "tolerance": 0.1},
            "--tolerance 0.1 with --to onnx --precision fp16",
            "--max-drop",
        ),
    ],
)
def test_what_cannot_be_is_refused(settings, what, hint):
    with pytest.raises(UserError) as caught:
        config(**settings)

    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"texts": 99}, "--int8.texts 99: too few"),
        ({"percentile": 50}, "--int8.percentile 50: not between 90 and 100"),
        ({"least_share": 0}, "--int8.least-share 0: not a share"),
    ],
)
def test_settings_of_8_bits(settings, what):
    with pytest.raises(UserError) as caught:
        Int8Config(**settings)

    assert what in caught.value.what


def test_data_are_read_as_the_export_is_told():
    judged = config(task="sst2", max_length=7).judged(Path("dev"), "train")

    assert (judged.task, judged.max_length, judged.data, judged.split) == (
        "sst2",
        7,
        Path("dev"),
        "train",
    )
