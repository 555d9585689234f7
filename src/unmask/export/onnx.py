"""A model as one ONNX file, for any batch and any length.

Legend: B batch, L length.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from unmask.core import files
from unmask.core.errors import UserError
from unmask.model.config import ModelConfig

OPSET = 18


class _Graph(nn.Module):
    """The inputs and the output that ONNX users of transformers expect."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        output: torch.Tensor = self.model(input_ids, attention_mask > 0, token_type_ids)
        return output


def export(model: nn.Module, config: ModelConfig, path: Path) -> None:
    """Write `path`: inputs input_ids, attention_mask, token_type_ids [B, L]; output logits."""
    _require_exporter()
    # Example inputs are real ids with a real mask: a trace on zeros would see only padding.
    ids_BL = torch.arange(2 * 8).view(2, 8) % (config.vocabulary - 5) + 4
    ids_BL[1, 6:] = config.pad_id
    mask_BL = (ids_BL != config.pad_id).long()
    dynamic = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=config.max_length)}
    with _quiet():
        program = torch.onnx.export(
            _Graph(model.eval().cpu()),
            (ids_BL, mask_BL, torch.zeros_like(ids_BL)),
            dynamo=True,
            opset_version=OPSET,
            input_names=["input_ids", "attention_mask", "token_type_ids"],
            output_names=["logits"],
            dynamic_shapes=(dynamic, dynamic, dynamic),
        )
    assert program is not None
    with files.atomic(path) as file:
        file.write(program.model_proto.SerializeToString())


def _require_exporter() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise UserError(
            "exporting needs onnx and onnxscript", "pip install 'unmask[export]'"
        ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks on stdout and warns about itself; stdout is data here."""
    level = logging.getLogger("torch.onnx").level
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.getLogger("torch.onnx").setLevel(level)
