"""What `unmask predict` says of all texts together, counted in constant memory."""

import math
from fractions import Fraction
from typing import Any

from unmask.core.errors import UserError
from unmask.infer.pipelines import Answer


class Perplexities:
    """The perplexity of all texts: exp(-sum of PLL / number of tokens) (Salazar et al. 2020)."""

    def __init__(self) -> None:
        self._texts = self._tokens = 0
        # Exact, so that windows give what one sum over all texts gives.
        self._total = Fraction()

    def add(self, log_likelihood: float, tokens: int) -> None:
        """Count one text: its pseudo-log-likelihood (nats), and its scored tokens."""
        self._texts += 1
        self._tokens += tokens
        self._total += Fraction(log_likelihood)

    def state(self) -> dict[str, Any]:
        """What was counted so far, exactly."""
        return {"texts": self._texts, "tokens": self._tokens, "total": str(self._total)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on counting from there."""
        self._texts, self._tokens = state["texts"], state["tokens"]
        self._total = Fraction(state["total"])

    def last(self) -> list[Answer]:
        """One line; UserError where no text had a token to score."""
        if not self._tokens:
            raise UserError(
                f"{self._texts} texts without a token to score", "give texts that hold something"
            )
        perplexity = math.exp(-float(self._total) / self._tokens)
        return [{"texts": self._texts, "corpus_perplexity": perplexity}]


class Accuracy:
    """How many schemas were resolved rightly, of those whose file tells."""

    def __init__(self) -> None:
        self._schemas = self._right = 0

    def add(self, *, right: bool) -> None:
        """Count one schema."""
        self._schemas += 1
        self._right += right

    def state(self) -> dict[str, Any]:
        """What was counted so far."""
        return {"schemas": self._schemas, "right": self._right}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on counting from there."""
        self._schemas, self._right = state["schemas"], state["right"]

    def last(self) -> list[Answer]:
        """One line, or none where nothing told what is right."""
        if not self._schemas:
            return []
        return [{"schemas": self._schemas, "accuracy": self._right / self._schemas}]
