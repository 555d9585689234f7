"""How a model is run: settings that predict, evaluate, export and bench share."""

import dataclasses
from typing import Literal

from unmask.core.errors import UserError
from unmask.train.config import Device

Runtime = Literal["torch", "onnxruntime", "openvino"]
ExactPrecision = Literal["fp32", "bf16", "fp16"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """What runs the model, and how."""

    runtime: Literal[Runtime, "auto"] = "auto"
    """auto: what unmask bench --choose found fastest on this machine, else what the export was
    measured with; a model folder is run by torch."""
    precision: ExactPrecision | None = None
    """Number format of the matrix products; left out: fp32, or what the export was made in."""
    device: Device = "auto"
    """torch: where to compute."""
    threads: int | None = None
    """Threads in all; left out: one for each core."""
    streams: int | None = None
    """Batches computed at once, which share the threads; left out: one where a person waits for a
    single answer, else one for each thread."""
    batch_tokens: int | None = None
    """Tokens of a batch, padding counted; left out: what suits the runtime."""

    def __post_init__(self) -> None:
        for name in ("threads", "streams", "batch_tokens"):
            if (value := getattr(self, name)) is not None and value < 1:
                flag = f"--engine.{name.replace('_', '-')}"
                raise UserError(f"{flag} {value}: too small", "give 1 or more")
        if self.threads and self.streams and self.streams > self.threads:
            raise UserError(
                f"--engine.streams {self.streams}: more than --engine.threads {self.threads}",
                "give every stream a thread at least",
            )


AS_MADE = EngineConfig()
