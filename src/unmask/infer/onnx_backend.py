"""ONNX Runtime as backend."""

from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np

from unmask.core.engine import cores
from unmask.core.errors import UserError
from unmask.infer.backend import ONNX_FILE, Logits
from unmask.infer.engine_config import EngineConfig
from unmask.infer.feeds import feed_of, one_array
from unmask.tokenizer.batch import Batch

BATCH_TOKENS = 256
INTS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class OnnxBackend:
    """An exported model on the CPU; each stream has its share of the threads."""

    def __init__(self, path: Path, *, threads: int = 0, streams: int = 1) -> None:
        runtime = _imported(path)
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # what it says of unused constants is nobody's concern
        options.intra_op_num_threads = max(1, (threads or cores()) // streams)
        self.name = "onnxruntime"
        self.streams = streams
        self.batch_tokens = BATCH_TOKENS
        try:
            self._session: Any = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has no public base class for its errors
            raise UserError(
                f"{path}: ONNX Runtime cannot load it ({error})", "run unmask export again"
            ) from None
        self._inputs = {item.name: INTS[item.type] for item in self._session.get_inputs()}
        self._outputs = [item.name for item in self._session.get_outputs()]

    @classmethod
    def open(cls, folder: Path, engine: EngineConfig, *, many: bool) -> "OnnxBackend":
        """Open an export folder; UserError for a precision that the file is not in."""
        if engine.precision is not None:
            raise UserError(
                f"--engine.precision {engine.precision}: ONNX Runtime computes as the file is",
                "leave it out, or export with --precision",
            )
        threads = engine.threads or cores()
        backend = cls(
            folder / ONNX_FILE,
            threads=threads,
            streams=engine.streams or (threads if many else 1),
        )
        backend.batch_tokens = engine.batch_tokens or BATCH_TOKENS
        return backend

    def logits(self, batch: Batch) -> Logits:
        """Run a batch."""
        return one_array(self._session.run(self._outputs, feed_of(batch, self._inputs)))


def _imported(path: Path) -> ModuleType:
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            f"{path}: running ONNX needs onnxruntime", "pip install 'unmask[export]'"
        ) from None
    return cast(ModuleType, onnxruntime)
