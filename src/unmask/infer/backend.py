"""The one way to run a model: a batch of ids in, logits out.

Legend: B batch, L length, V vocabulary, C classes.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.tokenizer.batch import Batch

ONNX_FILE = "model.onnx"


class Backend(Protocol):
    """A model that runs somewhere."""

    name: str

    def logits(self, batch: Batch) -> npt.NDArray[np.float32]:
        """Run a batch: [B, L, V] for masked language models, [B, C] for classifiers of sequences.

        [B, L, C] for those of tokens, [B, L, 2] for starts and ends, [B, 1] for an option a row.
        """


def open_backend(folder: Path) -> Backend:
    """Open an export folder with ONNX Runtime, any other model folder with torch."""
    if (folder / ONNX_FILE).exists():
        from unmask.infer.onnx_backend import OnnxBackend

        return OnnxBackend(folder / ONNX_FILE)
    if (folder / "config.json").exists():
        from unmask.infer.torch_backend import TorchBackend

        return TorchBackend.open(folder)
    hint = f"give {folder / 'model'}" if (folder / "model").is_dir() else "give a model folder"
    raise UserError(f"{folder}: holds neither config.json nor {ONNX_FILE}", hint)
