"""PyTorch as backend."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from unmask.model import weights
from unmask.model.heads import MultipleChoice, SpanExtractor
from unmask.tokenizer.batch import Batch


class TorchBackend:
    """A model in fp32 on the CPU, or on the GPU where there is one."""

    name = "torch"

    def __init__(self, model: nn.Module) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.eval().to(self._device)

    @classmethod
    def open(cls, folder: Path) -> "TorchBackend":
        """Load a model folder with the head its config names."""
        return cls(weights.load(folder, weights.head_of(folder)))

    @torch.inference_mode()
    def logits(self, batch: Batch) -> npt.NDArray[np.float32]:
        """Run a batch; no attention mask is passed where nothing is padded."""
        mask_BL = None if batch.mask_BL.all() else self._tensor(batch.mask_BL)
        output = self._output(self._tensor(batch.ids_BL), mask_BL, self._tensor(batch.types_BL))
        logits: npt.NDArray[np.float32] = output.float().cpu().numpy()
        return logits

    def _output(
        self, ids_BL: torch.Tensor, mask_BL: torch.Tensor | None, types_BL: torch.Tensor
    ) -> torch.Tensor:
        if isinstance(self.model, SpanExtractor):
            return torch.stack(self.model(ids_BL, mask_BL, types_BL), dim=-1)
        if isinstance(self.model, MultipleChoice):  # each row by itself
            return self.model.head(self.model.encoder(ids_BL, mask_BL, types_BL)[:, 0])
        output: torch.Tensor = self.model(ids_BL, mask_BL, types_BL)
        return output

    def _tensor(self, array: npt.NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)
