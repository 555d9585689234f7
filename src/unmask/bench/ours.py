"""The model as unmask runs it.

Legend: B batch, L length.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.bench.worker import Engine
from unmask.finetune.sequences import Sequences
from unmask.infer.engine_config import EngineConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from unmask.infer.backend import Backend


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Ours:
    """A model or export folder, opened as predict and serve open it."""

    model: Path
    engine: EngineConfig
    many: bool
    """Whether several batches are computed at once where --engine.streams does not say."""
    ragged: bool

    def open(self) -> Engine:
        """Load it; UserError where the engine cannot run it."""
        import torch

        from unmask.infer.backend import open_backend
        from unmask.model import weights

        if self.engine.threads is not None:
            torch.set_num_threads(self.engine.threads)
        backend = open_backend(self.model, self.engine, many=self.many)
        pad_id = weights.read_config(self.model).pad_id
        return Engine(
            backend.name,
            number_format(self.model, backend.name),
            1 if self.ragged else backend.streams,
            _ragged(backend, pad_id) if self.ragged else _fixed(backend, pad_id),
        )


def number_format(model: Path, name: str) -> str:
    """Of the matrix products: int8 if the export says so, else what the backend's name ends in."""
    from unmask.core import manifests

    made = None
    if (model / manifests.NAME).exists():
        made = manifests.read(model).facts.get("precision")
    last = name.partition(",")[0].rpartition(" ")[2]
    if made == "int8":
        return "int8"
    return last if last in ("fp32", "bf16", "fp16") else str(made or "fp32")


def _fixed(backend: "Backend", pad_id: int) -> "Callable[[Sequences], object]":
    import numpy as np

    from unmask.infer.batches import padded

    def answer(sequences: Sequences) -> object:
        return backend.logits(padded(sequences, np.arange(len(sequences)), pad_id))

    return answer


def _ragged(backend: "Backend", pad_id: int) -> "Callable[[Sequences], object]":
    import numpy as np

    from unmask.infer.batches import answered, padded

    def answer(sequences: Sequences) -> object:
        groups = answered(
            backend,
            sequences.lengths_N.tolist(),
            lambda group: padded(sequences, np.array(group), pad_id),
        )
        return sum(len(group) for group, _, _ in groups)

    return answer
