"""What an encoder is: its sizes and special ids, for the RoBERTa and the BERT family."""

import dataclasses
from typing import Literal, TypeAlias, get_args

from unmask.core.errors import UserError

Family: TypeAlias = Literal["roberta", "bert"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """An encoder. The family decides how positions count and what the heads look like."""

    family: Family
    """roberta: positions count the tokens that are no padding; bert: they count places."""
    vocabulary: int
    """Rows of the word embedding."""
    layers: int
    """Transformer blocks."""
    width: int
    """Width of the hidden states."""
    heads: int
    """Attention heads; they share the width."""
    feed_forward: int
    """Width inside the feed-forward layers."""
    max_length: int = 512
    """Longest sequence in tokens, special tokens included."""
    types: int
    """Rows of the token-type embedding: 1 for RoBERTa, 2 for BERT."""
    norm_eps: float
    """Epsilon of every LayerNorm: 1e-5 for RoBERTa, 1e-12 for BERT."""
    dropout: float = 0.1
    """Dropout after the embedding, the attention and the feed-forward layer."""
    attention_dropout: float = 0.1
    """Dropout on the attention weights."""
    classifier_dropout: float | None = None
    """Dropout in the heads of classifiers; left out: as --dropout."""
    init_std: float = 0.02
    """Standard deviation of the weights at the start."""
    pad_id: int
    """Id of the padding token."""
    bos_id: int | None = None
    """Id of the token that opens a sequence; left out: not recorded."""
    eos_id: int | None = None
    """Id of the token that closes a sequence; left out: not recorded."""

    def __post_init__(self) -> None:
        _check_family(self.family)
        for name in ("vocabulary", "layers", "width", "heads", "feed_forward", "max_length"):
            _check_positive(name, getattr(self, name))
        for name in ("types", "norm_eps", "init_std"):
            _check_positive(name, getattr(self, name))
        for name in ("dropout", "attention_dropout", "classifier_dropout"):
            _check_probability(name, getattr(self, name))
        for name in ("pad_id", "bos_id", "eos_id"):
            _check_id(name, getattr(self, name), self.vocabulary)
        if self.width % self.heads:
            raise UserError(
                f"width {self.width} cannot be shared by {self.heads} heads",
                "choose a width that is a multiple of heads",
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def position_rows(self) -> int:
        """Rows of the position embedding; RoBERTa's first position is pad_id + 1."""
        return self.max_length + (self.pad_id + 1 if self.family == "roberta" else 0)

    @property
    def head_dropout(self) -> float:
        """Dropout in the heads of classifiers."""
        return self.dropout if self.classifier_dropout is None else self.classifier_dropout

    def parameters(self) -> int:
        """Count the parameters with a masked-language-model head, its decoder tied."""
        D, F = self.width, self.feed_forward
        embedding = (self.vocabulary + self.position_rows + self.types) * D
        norm = 2 * D
        block = 4 * (D * D + D) + (D * F + F) + (F * D + D) + 2 * norm
        head = (D * D + D) + norm + self.vocabulary
        return embedding + norm + self.layers * block + head


def _check_family(family: str) -> None:
    if family not in get_args(Family):
        raise UserError(f"family {family!r} is unknown", "choose roberta or bert")


def _check_positive(name: str, value: float) -> None:
    if value <= 0:
        raise UserError(f"{name} is {value}", f"choose {name} greater than 0")


def _check_probability(name: str, value: float | None) -> None:
    if value is not None and not 0 <= value < 1:
        raise UserError(f"{name} is {value}", f"choose {name} from 0 up to, not including, 1")


def _check_id(name: str, value: int | None, vocabulary: int) -> None:
    if value is not None and not 0 <= value < vocabulary:
        raise UserError(
            f"{name} {value} is outside the vocabulary of {vocabulary}",
            f"choose {name} from 0 to {vocabulary - 1}",
        )
