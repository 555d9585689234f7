"""A model over sequences that stand end to end, by graphs recorded once for each shape.

What depends on lengths is counted here in numpy before anything goes to the card, and goes there as
one vector, so that the card is waited for once a batch: when its answers are fetched.

Legend: B sequences, L length, T tokens, S sequences and one more, D width, C outputs, X numbers of
all inputs end to end.
"""

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from unmask.finetune.forward import FinetunedModel, by_token
from unmask.infer.shapes import Shape
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.packing import Joined, Kernel
from unmask.tokenizer.batch import Batch

Replay: TypeAlias = Callable[[], Tensor]
Record: TypeAlias = Callable[[Callable[[Tensor], Tensor], Tensor], Replay]
"""(function, its input) to what computes the function of whatever stands in that input by then. The
output is valid until anything recorded is computed again."""

MOST_GRAPHS = 64
"""Shapes beyond these run without a graph. None is dropped for another: batches come in rounds from
long to short, so the oldest is the next to be needed, and recording takes some batches' time."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kernels:
    """What a card brings for sequences of any length."""

    attend: Kernel
    record: Record


class JoinedModel:
    """A model whose batches have no padding; one thread at a time may ask it.

    Only the encoder is recorded. The head runs on real rows alone, without a graph: it is a few
    kernels, and a graph would hold on to its output, which for a masked language model is large.
    """

    def __init__(
        self, model: FinetunedModel | MaskedLM, device: torch.device, kernels: Kernels
    ) -> None:
        self._model, self._device, self._kernels = model, device, kernels
        self._graphs: dict[Shape, tuple[Tensor, Replay]] = {}

    def rows(self, batch: Batch) -> Tensor:
        """Logits on the device, of each sequence, (B, C), or of each token, (T, C).

        They stay valid whatever is asked next.
        """
        exact = Shape.of(batch)
        bucket = exact.bucket(self._model.config.max_length)
        if bucket is None or not self._has_graph(bucket):
            vector_X = self._host(batch, exact).to(self._device, non_blocking=True)
            states_D = self._states(vector_X, exact)
        else:
            states_D = self._replayed(batch, bucket)
        real = exact.tokens if answers_tokens(self._model) else exact.sequences
        return self._model.head(states_D[:real])

    def _has_graph(self, bucket: Shape) -> bool:
        return bucket in self._graphs or len(self._graphs) < MOST_GRAPHS

    def _replayed(self, batch: Batch, bucket: Shape) -> Tensor:
        host_X = self._host(batch, bucket)
        if bucket not in self._graphs:
            static_X = host_X.to(self._device, copy=True)
            record = self._kernels.record
            replay = record(lambda vector_X: self._states(vector_X, bucket), static_X)
            self._graphs[bucket] = static_X, replay
        static_X, replay = self._graphs[bucket]
        static_X.copy_(host_X, non_blocking=True)
        return replay()

    def _host(self, batch: Batch, shape: Shape) -> Tensor:
        """The inputs, in memory that a card copies from while the processor goes on."""
        host_X = torch.from_numpy(joined(batch, self._model.config, shape))
        return host_X.pin_memory() if self._device.type == "cuda" else host_X

    def _states(self, vector_X: Tensor, shape: Shape) -> Tensor:
        """States of all tokens, (T, D), or of the first one of each sequence, (B, D)."""
        ids_T, positions_T, types_T, starts_S, first_B = torch.split(vector_X, _sizes(shape))
        sequences = Joined(starts_S, shape.longest, self._kernels.attend)
        read = ids_T, positions_T, types_T, sequences
        if answers_tokens(self._model):
            return self._model.encoder.joined(*read)
        return self._model.encoder.joined(*read, first_B[:, None])[:, 0]


def answers_tokens(model: FinetunedModel | MaskedLM) -> bool:
    """Whether the head answers for each token."""
    return isinstance(model, MaskedLM) or by_token(model)


def joined(batch: Batch, config: ModelConfig, shape: Shape) -> npt.NDArray[np.int32]:
    """Put a batch into one vector, filled up to a shape: (3 T + S + B,).

    Ids, rows of the position table and types of the tokens; where each sequence begins, and where
    the last ends; the first token of each. Sequences that fill up come last, their ids are 0 and
    their first token is given as 0.
    """
    exact = Shape.of(batch)
    vector_X = np.zeros(sum(_sizes(shape)), np.int32)
    ends = np.cumsum(_sizes(shape))[:-1]
    ids_T, positions_T, types_T, starts_S, first_B = np.split(vector_X, ends)
    ids_T[: exact.tokens] = batch.ids_BL[batch.mask_BL]
    positions_T[: exact.tokens] = _positions(batch, config)[batch.mask_BL]
    types_T[: exact.tokens] = batch.types_BL[batch.mask_BL]
    lengths_B = np.concatenate([batch.mask_BL.sum(1), exact.filling(shape)])
    starts_S[1:] = np.cumsum(lengths_B)
    first_B[: exact.sequences] = starts_S[: exact.sequences]
    return vector_X


def _sizes(shape: Shape) -> list[int]:
    return [shape.tokens] * 3 + [shape.sequences + 1, shape.sequences]


def _positions(batch: Batch, config: ModelConfig) -> npt.NDArray[np.int64]:
    """Rows of the position table, (B, L), as `Embedding.positions` counts them."""
    if config.family == "bert":
        return np.broadcast_to(np.arange(batch.ids_BL.shape[1]), batch.ids_BL.shape)
    real_BL = (batch.ids_BL != config.pad_id).astype(np.int64)
    rows_BL: npt.NDArray[np.int64] = real_BL.cumsum(1) * real_BL + config.pad_id
    return rows_BL
