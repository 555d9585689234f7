"""PyTorch as backend."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from unmask.core.errors import UserError
from unmask.model import weights
from unmask.model.heads import MaskedLM, SequenceClassifier
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
        kind = weights.head_of(folder)
        if kind not in (MaskedLM, SequenceClassifier):
            raise UserError(
                f"{folder}: a {kind.__name__}, and only masked language models and sequence "
                "classifiers answer here",
                "give a model made by unmask pretrain or unmask finetune",
            )
        return cls(weights.load(folder, kind))

    @torch.inference_mode()
    def logits(self, batch: Batch) -> npt.NDArray[np.float32]:
        """Run a batch; no attention mask is passed where nothing is padded."""
        mask_BL = None if batch.mask_BL.all() else self._tensor(batch.mask_BL)
        output = self.model(self._tensor(batch.ids_BL), mask_BL, self._tensor(batch.types_BL))
        logits: npt.NDArray[np.float32] = output.float().cpu().numpy()
        return logits

    def _tensor(self, array: npt.NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)
