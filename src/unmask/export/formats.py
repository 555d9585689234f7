"""A model in the format of its target.

Legend: B batch, L length.
"""

from pathlib import Path

import onnx
import torch

from unmask.core import files
from unmask.core.errors import UserError
from unmask.export import programs
from unmask.export.config import ExportConfig
from unmask.export.graph.heads import Exported, Form, graph_of
from unmask.export.graph.layers import Plan
from unmask.infer import openvino_runtime
from unmask.infer.backend import ONNX_FILE, OPENVINO_FILE, PT2_FILE, TORCHSCRIPT_FILE

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def write(model: Exported, config: ExportConfig, folder: Path, plan: Plan | None = None) -> None:
    """Write the file, or files, of the target; the layers of the plan in 8 bits."""
    form = form_of(config, model.config.max_length)
    match config.to:
        case "onnx":
            _onnx(graph_of(model, form, plan), folder / ONNX_FILE)
        case "openvino":
            _openvino(graph_of(model, form, plan), config, folder / OPENVINO_FILE)
        case "pt2":
            programs.write_pt2(model, form, folder / PT2_FILE, DTYPES[config.precision])
        case "torchscript":
            programs.write_torchscript(
                model, form, folder / TORCHSCRIPT_FILE, DTYPES[config.precision]
            )


def form_of(config: ExportConfig, max_length: int) -> Form:
    """What the graph is written for; UserError for a length that the model does not read."""
    batch, length = config.shape or (None, None)
    if length is not None and length > max_length:
        raise UserError(
            f"--shape {batch} {length}: {config.model} reads at most {max_length} tokens",
            f"give {max_length} or less",
        )
    # OpenVINO's own format keeps weights of 16 bits beside a graph of 32.
    half = config.precision == "fp16" and config.to == "onnx"
    return Form(batch, length, config.ints, "float16" if half else "float32")


def _onnx(model: onnx.ModelProto, path: Path) -> None:
    with files.atomic(path) as file:
        file.write(model.SerializeToString())


def _openvino(model: onnx.ModelProto, config: ExportConfig, path: Path) -> None:
    openvino = openvino_runtime.imported("--to openvino")
    read = openvino.Core().read_model(model.SerializeToString(), b"")
    openvino.save_model(read, path, compress_to_fp16=config.precision == "fp16")
