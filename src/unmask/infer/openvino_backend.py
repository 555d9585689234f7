"""OpenVINO as backend."""

import queue
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unmask.core.engine import cores
from unmask.core.errors import UserError
from unmask.infer import openvino_runtime
from unmask.infer.backend import ONNX_FILE, OPENVINO_FILE, Logits, facts
from unmask.infer.engine_config import EngineConfig, ExactPrecision
from unmask.infer.feeds import feed_of, one_array
from unmask.tokenizer.batch import Batch
from unmask.train.precision import has_bf16

BATCH_TOKENS = 256
HINTS = {"fp32": "f32", "bf16": "bf16"}
INTS = {"i64": np.int64, "i32": np.int32}


class OpenVinoBackend:
    """An exported model on the CPU; each stream has its share of the threads."""

    def __init__(
        self, path: Path, *, precision: ExactPrecision = "fp32", threads: int = 0, streams: int = 1
    ) -> None:
        openvino = openvino_runtime.imported(f"{path}")
        self.name = f"openvino {precision}"
        self.streams = streams
        self.batch_tokens = BATCH_TOKENS
        options = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": threads or cores(),
            "NUM_STREAMS": streams,
        }
        try:
            core = openvino.Core()
            model: Any = core.compile_model(core.read_model(path), "CPU", options)
        except RuntimeError as error:
            raise UserError(
                f"{path}: OpenVINO cannot load it ({str(error).strip().splitlines()[-1]})",
                "run unmask export again",
            ) from None
        self._inputs = {
            item.get_any_name(): INTS[item.get_element_type().get_type_name()]
            for item in model.inputs
        }
        self._outputs = len(model.outputs)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(streams):
            self._idle.put(model.create_infer_request())

    @classmethod
    def open(cls, folder: Path, engine: EngineConfig, *, many: bool) -> "OpenVinoBackend":
        """Open an export folder, in its own precision if none is asked for."""
        threads = engine.threads or cores()
        path = next(path for name in (OPENVINO_FILE, ONNX_FILE) if (path := folder / name).exists())
        backend = cls(
            path,
            precision=_precision(folder, engine.precision),
            threads=threads,
            streams=engine.streams or (threads if many else 1),
        )
        backend.batch_tokens = engine.batch_tokens or BATCH_TOKENS
        return backend

    def logits(self, batch: Batch) -> Logits:
        """Run a batch."""
        request = self._idle.get()
        try:
            request.infer(feed_of(batch, self._inputs), share_inputs=True)
            outputs = [request.get_output_tensor(index).data for index in range(self._outputs)]
            # Copied, as the request's next batch goes to the same place.
            return one_array([np.array(output) for output in outputs])
        finally:
            self._idle.put(request)


def _precision(folder: Path, asked: ExactPrecision | None) -> ExactPrecision:
    """What is asked for, else what the export was made in; 8-bit models take bf16 beside it."""
    native = has_bf16(torch.device("cpu"))
    if asked == "fp16":
        raise UserError(
            "--engine.precision fp16: OpenVINO computes in fp32 or bf16 on processors",
            "leave it out; weights stored in fp16 are read all the same",
        )
    if asked == "bf16" and not native:
        raise UserError(
            "--engine.precision bf16: this processor has no bf16 instructions",
            "leave it out, or give fp32",
        )
    if asked is not None:
        return asked
    made = facts(folder).get("precision")
    return "bf16" if native and made in ("bf16", "int8") else "fp32"
