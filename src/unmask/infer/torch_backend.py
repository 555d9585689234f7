"""PyTorch as backend: packed, so that padding is computed in attention alone, or nowhere.

On a card in 16 bits sequences stand end to end and attention is told their limits (joined.py). In
fp32 the kernel for that does not exist, and attention pads and masks.

Legend: B batch, L length, T real tokens, C outputs.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from unmask.core.errors import UserError
from unmask.finetune.forward import FinetunedModel
from unmask.finetune.forward import logits as finetuned_logits
from unmask.finetune.inputs import Inputs
from unmask.infer.backend import Logits
from unmask.infer.card import kernels_of
from unmask.infer.engine_config import EngineConfig, ExactPrecision
from unmask.infer.joined import JoinedModel, Kernels, answers_tokens
from unmask.model import weights
from unmask.model.heads import MaskedLM, Pretraining
from unmask.tokenizer.batch import Batch
from unmask.train.precision import resolve_device, resolve_precision

BATCH_TOKENS = {"cpu": 1024, "cuda": 65536}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchBackend:
    """A model in one number format, on the CPU or on a GPU."""

    streams = 1

    def __init__(
        self,
        model: FinetunedModel | MaskedLM,
        device: torch.device | None = None,
        precision: ExactPrecision = "fp32",
        kernels: Kernels | None = None,
    ) -> None:
        """Put a model there; without `kernels` it is run by those of the device, if it has any.

        UserError where the device does not take the size of its heads.
        """
        self._device = device or resolve_device("auto")
        kernels = kernels or kernels_of(self._device, precision, model.config)
        self.name = f"torch {precision}"
        self.batch_tokens = BATCH_TOKENS[self._device.type]
        self.model = model.eval().to(self._device, DTYPES[precision])
        self._joined = JoinedModel(self.model, self._device, kernels) if kernels else None

    @classmethod
    def open(cls, folder: Path, engine: EngineConfig) -> "TorchBackend":
        """Load a model folder with the head its config names."""
        if engine.streams not in (None, 1):
            raise UserError(
                f"--engine.streams {engine.streams}: torch computes one batch at a time",
                "leave it out, or export the model for another runtime",
            )
        if engine.threads is not None:
            torch.set_num_threads(engine.threads)
        kind = weights.head_of(folder)
        if kind is Pretraining:
            raise UserError(
                f"{folder}: has two heads, of pretraining", "fine-tune it, or load its MaskedLM"
            )
        device = resolve_device(engine.device)
        precision = engine.precision or "fp32"
        resolve_precision(precision, device)
        backend = cls(weights.load(folder, kind), device, precision)  # type: ignore[arg-type]
        backend.batch_tokens = engine.batch_tokens or backend.batch_tokens
        return backend

    @torch.inference_mode()
    def logits(self, batch: Batch) -> Logits:
        """Run a batch; no attention mask is passed where nothing is padded."""
        rows = self._padded(batch) if self._joined is None else self._joined.rows(batch)
        found: Logits = rows.float().cpu().numpy()
        if not answers_tokens(self.model):
            return found
        spread_BLC = np.zeros((*batch.mask_BL.shape, found.shape[-1]), np.float32)
        spread_BLC[batch.mask_BL] = found
        return spread_BLC

    def _padded(self, batch: Batch) -> Tensor:
        inputs = self._inputs(batch)
        if isinstance(self.model, MaskedLM):
            return self.model.head(self.model.encoder.packed(*_read(inputs)))
        return finetuned_logits(self.model, inputs)

    def _inputs(self, batch: Batch) -> Inputs:
        full = bool(batch.mask_BL.all())
        return Inputs(
            ids_BL=torch.from_numpy(batch.ids_BL),
            mask_BL=None if full else torch.from_numpy(batch.mask_BL),
            types_BL=torch.from_numpy(batch.types_BL),
            real_T=None if full else torch.from_numpy(np.flatnonzero(batch.mask_BL)),
        ).to(self._device)


def _read(inputs: Inputs) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    return inputs.ids_BL, inputs.mask_BL, inputs.types_BL, inputs.real_T
