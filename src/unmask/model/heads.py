"""Models: the encoder and a head, each as its namesake in transformers.

B batch, L length, D width, V vocabulary, M masked positions, C choices, N labels.
"""

from typing import TYPE_CHECKING, TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.core.errors import UserError
from unmask.model.config import ModelConfig
from unmask.model.dropout import Dropout
from unmask.model.encoder import Encoder
from unmask.model.problem import Problem, default_problem


class MaskedLM(nn.Module):
    """Says which token stands at a position; its decoder is the word embedding."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.dense = nn.Linear(config.width, config.width)
        self.norm = nn.LayerNorm(config.width, config.norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))

    def forward(
        self,
        ids_BL: Tensor,
        mask_BL: Tensor | None = None,
        types_BL: Tensor | None = None,
        positions_M: Tensor | None = None,
    ) -> Tensor:
        """Give logits_BLV, or logits_MV where positions_M (indices into B * L) are asked for.

        At every position the head takes a third of base's time; a training step needs it only
        where a token is masked.
        """
        hidden_BLD = self.encoder(ids_BL, mask_BL, types_BL)
        if positions_M is not None:
            return self.head(hidden_BLD.flatten(0, 1).index_select(0, positions_M))
        return self.head(hidden_BLD)

    def head(self, hidden_D: Tensor) -> Tensor:
        """Map hidden states (..., D) to logits (..., V)."""
        return F.linear(self.transformed(hidden_D), self.encoder.embedding.word.weight, self.bias)

    def transformed(self, hidden_D: Tensor) -> Tensor:
        """What the head does before it compares with the word embedding: (..., D) to (..., D)."""
        out_D: Tensor = self.norm(F.gelu(self.dense(hidden_D)))
        return out_D

    if TYPE_CHECKING:
        __call__ = forward


class NextSentence(nn.Module):
    """Says whether the second segment follows the first (Devlin et al. 2019, section 3.1).

    BERT's pooler and the classifier on it; no dropout between them.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, 2)

    def forward(self, first_BD: Tensor) -> Tensor:
        """Give logits_B2 from the first token's state; index 0 is "follows", as in BERT."""
        logits_B2: Tensor = self.out(torch.tanh(self.dense(first_BD)))
        return logits_B2

    if TYPE_CHECKING:
        __call__ = forward


class Pretraining(nn.Module):
    """A masked language model and a next-sentence head on one encoder: BERT's two objectives.

    transformers has this class for BERT (BertForPreTraining) and none for RoBERTa.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.lm = MaskedLM(config)
        self.next_sentence = NextSentence(config)

    def forward(
        self, ids_BL: Tensor, mask_BL: Tensor | None, types_BL: Tensor | None, positions_M: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Give logits_MV at positions_M (indices into B * L), and logits_B2 of the pairs."""
        hidden_BLD = self.lm.encoder(ids_BL, mask_BL, types_BL)
        hidden_MD = hidden_BLD.flatten(0, 1).index_select(0, positions_M)
        return self.lm.head(hidden_MD), self.next_sentence(hidden_BLD[:, 0])

    if TYPE_CHECKING:
        __call__ = forward


class SequenceClassifier(nn.Module):
    """One label, several, or (with one label name) a number for the whole sequence."""

    def __init__(
        self, config: ModelConfig, labels: tuple[str, ...], problem: Problem | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.labels = _distinct(labels)
        self.problem = problem or default_problem(labels)
        self.encoder = Encoder(config)
        self.dense = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, len(labels))
        self.dropout = Dropout(config.head_dropout)

    def forward(
        self, ids_BL: Tensor, mask_BL: Tensor | None = None, types_BL: Tensor | None = None
    ) -> Tensor:
        """Give logits_BN, read off the first token."""
        return self.head(self.encoder(ids_BL, mask_BL, types_BL)[:, 0])

    def head(self, first_BD: Tensor) -> Tensor:
        """Map states of first tokens (B, D) to logits (B, N)."""
        if self.config.family == "roberta":
            first_BD = self.dropout(first_BD)
        logits_BN: Tensor = self.out(self.dropout(torch.tanh(self.dense(first_BD))))
        return logits_BN

    if TYPE_CHECKING:
        __call__ = forward


class TokenClassifier(nn.Module):
    """One label for each token."""

    def __init__(self, config: ModelConfig, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.config = config
        self.labels = _distinct(labels)
        self.encoder = Encoder(config)
        self.out = nn.Linear(config.width, len(labels))
        self.dropout = Dropout(config.head_dropout)

    def forward(
        self, ids_BL: Tensor, mask_BL: Tensor | None = None, types_BL: Tensor | None = None
    ) -> Tensor:
        """Give logits_BLN."""
        return self.head(self.encoder(ids_BL, mask_BL, types_BL))

    def head(self, hidden_D: Tensor) -> Tensor:
        """Map hidden states (..., D) to logits (..., N)."""
        logits_N: Tensor = self.out(self.dropout(hidden_D))
        return logits_N

    if TYPE_CHECKING:
        __call__ = forward


class SpanExtractor(nn.Module):
    """Where in the sequence an answer starts and ends."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.out = nn.Linear(config.width, 2)

    def forward(
        self, ids_BL: Tensor, mask_BL: Tensor | None = None, types_BL: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Give start_BL and end_BL; logits at padding are for the caller to leave out."""
        start_BL, end_BL = self.head(self.encoder(ids_BL, mask_BL, types_BL)).unbind(-1)
        return start_BL, end_BL

    def head(self, hidden_D: Tensor) -> Tensor:
        """Map hidden states (..., D) to start and end logits (..., 2)."""
        logits_2: Tensor = self.out(hidden_D)
        return logits_2

    if TYPE_CHECKING:
        __call__ = forward


class MultipleChoice(nn.Module):
    """A score for each of C sequences that compete."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.dense = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, 1)
        # As transformers has it: its RobertaForMultipleChoice ignores classifier_dropout.
        bert = config.family == "bert"
        self.dropout = Dropout(config.head_dropout if bert else config.dropout)

    def forward(
        self, ids_BCL: Tensor, mask_BCL: Tensor | None = None, types_BCL: Tensor | None = None
    ) -> Tensor:
        """Give logits_BC."""
        mask = None if mask_BCL is None else mask_BCL.flatten(0, 1)
        types = None if types_BCL is None else types_BCL.flatten(0, 1)
        first_D = self.encoder(ids_BCL.flatten(0, 1), mask, types)[:, 0]
        return self.head(first_D).view(ids_BCL.shape[:2])

    def head(self, first_SD: Tensor) -> Tensor:
        """Map states of first tokens of S sequences, (S, D), to a score each, (S, 1)."""
        logits_S1: Tensor = self.out(self.dropout(torch.tanh(self.dense(first_SD))))
        return logits_S1

    if TYPE_CHECKING:
        __call__ = forward


Model: TypeAlias = (
    MaskedLM | Pretraining | SequenceClassifier | TokenClassifier | SpanExtractor | MultipleChoice
)
M = TypeVar("M", bound=Model)


def build(
    kind: type[M],
    config: ModelConfig,
    labels: tuple[str, ...] = (),
    problem: Problem | None = None,
) -> M:
    """Make a model of this class; only classifiers take labels, and they must."""
    if issubclass(kind, SequenceClassifier):
        return kind(config, labels, problem)
    if issubclass(kind, TokenClassifier):
        return kind(config, labels)
    if labels:
        raise UserError(f"a {kind.__name__} has no labels, {len(labels)} given", "leave them out")
    return kind(config)


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not labels or len(set(labels)) < len(labels):
        raise UserError(
            f"labels: {', '.join(labels) or 'none'}; a classifier needs at least one, each once",
            "name every label, and none twice",
        )
    return labels
