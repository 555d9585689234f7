"""Settings of `unmask export`."""

import dataclasses
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.finetune.config import JudgedConfig, ReadingConfig

Target = Literal["onnx", "openvino", "pt2", "torchscript"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]
Method = Literal["min-max", "percentile", "mse", "entropy"]
LEAST_TEXTS = 100
"""To calibrate on; with fewer a range is a matter of luck."""
PERCENTILE = 99.999
GRAPHS = ("onnx", "openvino")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Int8Config:
    """How a model is brought to 8 bits."""

    range: Method = "percentile"
    """How the range of a layer's input is found from what calibration has seen of it."""
    percentile: float = PERCENTILE
    """--int8.range percentile: the share of the numbers that lie within, in percent."""
    texts: int = 512
    """Texts of the calibration data that are looked at, drawn over all of them; of those for masked
    language models the first."""
    activations: Literal["static", "dynamic"] = "static"
    """static: ranges are those of calibration. dynamic: found anew for every batch, so an answer
    depends a little on what else is in the batch."""
    least_share: float = 0.5
    """Share of the linear layers' work that must stay in 8 bits; a model that keeps its score only
    with less is not written."""

    def __post_init__(self) -> None:
        if self.texts < LEAST_TEXTS:
            raise UserError(
                f"--int8.texts {self.texts}: too few to tell ranges from", f"give {LEAST_TEXTS}"
            )
        if not 90 < self.percentile <= 100:
            raise UserError(
                f"--int8.percentile {self.percentile}: not between 90 and 100", "try 99.99"
            )
        if not 0 < self.least_share <= 1:
            raise UserError(
                f"--int8.least-share {self.least_share}: not a share", "give 0.5, for half of it"
            )
        self._refuse_unread()

    def _refuse_unread(self) -> None:
        """Settings of ranges that are not looked for, which would be ignored."""
        for wrong, what, hint in (
            (
                self.percentile != PERCENTILE and self.range != "percentile",
                f"--int8.percentile {self.percentile:g} with --int8.range {self.range}",
                "leave one of them out",
            ),
            (
                self.activations == "dynamic" and self.range != "percentile",
                f"--int8.range {self.range} with --int8.activations dynamic",
                "dynamic ranges are all that comes in; leave one of them out",
            ),
            (
                self.activations == "dynamic" and self.percentile != PERCENTILE,
                f"--int8.percentile {self.percentile:g} with --int8.activations dynamic",
                "dynamic ranges are all that comes in; leave one of them out",
            ),
        ):
            if wrong:
                raise UserError(f"{what}: it would not be read", hint)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ExportConfig(ReadingConfig):
    """Write a model for another runtime, and a contract: how near it stays, by its own score."""

    model: Path
    """Model folder: of a fine-tuned model, or of a masked language model."""
    out: Path
    """Export folder to write; predict, evaluate and bench take it as a model folder."""
    to: Target = "onnx"
    """onnx: for ONNX Runtime, OpenVINO and others. openvino: its own format.
    pt2, torchscript: programs of torch."""
    precision: Precision = "fp32"
    """Number format. bf16: for openvino, which stores fp32, pt2 and torchscript. int8: for onnx and
    openvino."""
    data: Path | None = None
    """Labelled data on which the scores of source and export are compared, as evaluate reads them;
    for masked language models, texts: .txt, one a line, or a table. By default the dev split of
    what the model was fine-tuned on."""
    calibration: Path | None = None
    """--precision int8: data of the same kind that show the ranges, a file or a folder with a train
    split. By default the train split of --data, where that is a folder, else of what the model was
    fine-tuned on; for masked language models --data itself."""
    max_drop: float = 0.3
    """Points of the task's own metric that the export may lose."""
    int8: Int8Config = dataclasses.field(default_factory=Int8Config)
    shape: tuple[int, int] | None = None
    """Batch and length, for runtimes that want one shape; left out: any, and onnx and openvino
    compute no padding but in attention."""
    ints: Literal["int64", "int32"] = "int64"
    """Type of the inputs."""
    tolerance: float = 1e-4
    """--precision fp32: largest difference of a logit."""
    force: bool = False
    """Redo the work even if the result is there already."""

    def __post_init__(self) -> None:
        if self.tolerance <= 0:
            raise UserError(f"--tolerance {self.tolerance}: must be positive", "try 1e-4")
        if self.max_drop < 0:
            raise UserError(f"--max-drop {self.max_drop}: must not be negative", "try 0.3")
        if self.shape is not None and min(self.shape) < 1:
            raise UserError(
                f"--shape {self.shape[0]} {self.shape[1]}: too small", "give 1 or more of each"
            )
        self._refuse_unread()

    def judged(self, data: Path, split: str | None = None) -> JudgedConfig:
        """These settings with data to score."""
        return JudgedConfig.of(self, data=data, split=split)

    def _refuse_unread(self) -> None:
        """Settings of another precision or target, which would be ignored."""
        graphs = self.to in GRAPHS
        eight = self.precision == "int8"
        for wrong, what, hint in (
            (eight and not graphs, "--precision int8", "give --to onnx or openvino"),
            (
                self.precision == "bf16" and self.to == "onnx",
                "--precision bf16",
                "ONNX Runtime has no such products on processors; give --to openvino",
            ),
            (self.int8 != Int8Config() and not eight, "--int8", "give --precision int8"),
            (self.calibration is not None and not eight, "--calibration", "give --precision int8"),
            (
                self.tolerance != 1e-4 and self.precision != "fp32",
                f"--tolerance {self.tolerance:g}",
                "other formats than fp32 are held by --max-drop",
            ),
        ):
            if wrong:
                raise UserError(
                    f"{what} with --to {self.to} --precision {self.precision}: not possible", hint
                )
