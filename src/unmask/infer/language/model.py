"""A masked language model with its tokenizer: how likely tokens are at asked places.

B batch, L length, N asked places of a row, R rows, Q asked places of all rows, end to end, M of
them at once, K best of V vocabulary, T candidates, D width.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from unmask.core.errors import UserError
from unmask.infer.language.rows import Row, padded, places
from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.tokenizer.batch import by_length
from unmask.tokenizer.tokenizer import Tokenizer

TOKENS_PER_BATCH = 4096
PLACES_AT_ONCE = 256
"""Of the head, whose answer for one place is as wide as the vocabulary."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def _unseen(_rows: int) -> None:
    """Show no progress."""


@dataclasses.dataclass(frozen=True, slots=True)
class Best:
    """The likeliest tokens at each place of a row, the likeliest first."""

    ids_NK: Ints
    log_probability_NK: Floats


class LanguageModel:
    """A masked language model on the CPU, or on the GPU where there is one."""

    def __init__(self, model: MaskedLM, tokenizer: Tokenizer) -> None:
        if tokenizer.vocabulary > model.config.vocabulary:
            raise UserError(
                f"the tokenizer has {tokenizer.vocabulary} ids and the model only "
                f"{model.config.vocabulary}",
                "bring a model and its own tokenizer together",
            )
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.eval().to(self._device)
        self.tokenizer = tokenizer
        self.max_length = model.config.max_length

    @classmethod
    def open(cls, folder: Path) -> "LanguageModel":
        """Load a model folder; UserError if it holds no masked language model."""
        kind = weights.head_of(folder)
        if kind is not MaskedLM:
            raise UserError(
                f"{folder}: a {kind.__name__}, which says nothing about hidden words",
                "give a masked language model, such as unmask pretrain makes",
            )
        return cls(weights.load(folder, MaskedLM), Tokenizer.load(folder))

    def log_probabilities(
        self,
        rows: Sequence[Row],
        targets: Sequence[Ints],
        advance: Callable[[int], None] = _unseen,
    ) -> list[Floats]:
        """Give log p (nats) of one target token for each asked place of each row.

        `targets` are arrays of shape (N,), one for each row; `advance` hears of rows done.
        """
        target_Q = np.concatenate([np.zeros(0, np.int64), *targets])
        found_Q = np.empty(len(target_Q))
        for asked_M, log_MV in self._answers(rows, advance):
            target_M1 = torch.from_numpy(target_Q[asked_M, None]).to(log_MV.device)
            found_Q[asked_M] = log_MV.gather(1, target_M1)[:, 0].double().cpu().numpy()
        return np.split(found_Q, _ends(rows)[:-1])[: len(rows)]

    def best(
        self,
        rows: Sequence[Row],
        count: int,
        among_QT: Ints | None = None,
        advance: Callable[[int], None] = _unseen,
    ) -> list[Best]:
        """Find the likeliest tokens for each asked place of each row, at most `count`.

        With `among_QT`, the ids that may stand at each place, only those; probabilities stay
        those over the whole vocabulary. `advance` hears of rows done.
        """
        choices = self.tokenizer.vocabulary if among_QT is None else among_QT.shape[1]
        ends_R = _ends(rows)
        shape = (int(ends_R[-1]) if len(rows) else 0), min(count, choices)
        ids_QK, log_QK = np.empty(shape, np.int64), np.empty(shape)
        for asked_M, log_MV in self._answers(rows, advance):
            log_MT = log_MV[:, :choices]  # rows of the embedding without a token are no answer
            if among_QT is not None:
                log_MT = log_MV.gather(1, torch.from_numpy(among_QT[asked_M]).to(log_MV.device))
            top = log_MT.topk(shape[1], dim=1)
            best_MK = top.indices.cpu().numpy()
            log_QK[asked_M] = top.values.double().cpu().numpy()
            ids_QK[asked_M] = (
                best_MK if among_QT is None else np.take_along_axis(among_QT[asked_M], best_MK, 1)
            )
        parts = zip(np.split(ids_QK, ends_R[:-1]), np.split(log_QK, ends_R[:-1]), strict=True)
        return [Best(ids_NK, log_NK) for ids_NK, log_NK in parts][: len(rows)]

    @torch.inference_mode()
    def _answers(
        self, rows: Sequence[Row], advance: Callable[[int], None]
    ) -> Iterator[tuple[Ints, Tensor]]:
        """Yield (numbers of asked places, log_MV), each place once, in any order."""
        lengths = [len(row.ids_L) for row in rows]
        ends_R = _ends(rows)
        for indices in by_length(lengths, max(TOKENS_PER_BATCH, self.max_length)):
            batch = [rows[index] for index in indices]
            hidden_MD = self._hidden(batch)
            asked_M = np.concatenate(
                [np.arange(-len(rows[index].places_N), 0) + ends_R[index] for index in indices]
            )
            for first in range(0, len(asked_M), PLACES_AT_ONCE):
                part = slice(first, first + PLACES_AT_ONCE)
                yield asked_M[part], self.model.head(hidden_MD[part]).log_softmax(-1)
            advance(len(indices))

    def _hidden(self, rows: Sequence[Row]) -> Tensor:
        """Encode a batch: the last states at its asked places, (M, D), row after row."""
        ids_BL, mask_BL = padded(rows, self.tokenizer.pad_id)
        places_BN, real_BN = places(rows)
        hidden_BND = self.model.encoder.asked(
            self._tensor(ids_BL),
            self._tensor(places_BN),
            None if mask_BL.all() else self._tensor(mask_BL),
        )
        return hidden_BND[self._tensor(real_BN)]

    def _tensor(self, array: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(array).to(self._device)


def _ends(rows: Sequence[Row]) -> Ints:
    """Number the asked places of all rows, end to end: where those of each row end."""
    return np.cumsum([len(row.places_N) for row in rows], dtype=np.int64)
