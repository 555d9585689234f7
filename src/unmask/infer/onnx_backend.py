"""ONNX Runtime as backend."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.tokenizer.batch import Batch


class OnnxBackend:
    """An exported model on the CPU."""

    name = "onnxruntime"

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise UserError(
                f"{path}: running ONNX needs onnxruntime", "pip install 'unmask[export]'"
            ) from None
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has no public base class for its errors
            raise UserError(
                f"{path}: ONNX Runtime cannot load it ({error})", "run unmask export again"
            ) from None
        self._inputs = {item.name for item in self._session.get_inputs()}

    def logits(self, batch: Batch) -> npt.NDArray[np.float32]:
        """Run a batch."""
        feed = {
            "input_ids": batch.ids_BL,
            "attention_mask": batch.mask_BL.astype(np.int64),
            "token_type_ids": batch.types_BL,
        }
        wanted = {name: array for name, array in feed.items() if name in self._inputs}
        logits: npt.NDArray[np.float32] = self._session.run(["logits"], wanted)[0]
        return logits
