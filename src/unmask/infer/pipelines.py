"""Text in, answer out.

Legend: B batch, L length, V vocabulary, C classes, N texts.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.finetune.softmax import sigmoid, softmax
from unmask.infer.backend import Backend, max_length, open_backend
from unmask.infer.batches import answered
from unmask.infer.engine_config import AS_MADE, EngineConfig
from unmask.infer.language.quoting import quoted
from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.model.problem import Problem
from unmask.tokenizer.batch import pad
from unmask.tokenizer.tokenizer import Tokenizer

CANDIDATES = 5

Answer = dict[str, Any]
Texts = Sequence[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Pipeline:
    """A model, its tokenizer, and what it answers."""

    backend: Backend
    tokenizer: Tokenizer
    max_length: int
    answer: Callable[[Encoding, npt.NDArray[np.float32]], Answer]

    @classmethod
    def open(
        cls,
        folder: Path,
        engine: EngineConfig = AS_MADE,
        *,
        top_k: int | None = None,
        many: bool = True,
    ) -> "Pipeline":
        """Open a model or export folder; its head decides what is answered.

        `many` says that texts come in plenty; `top_k` is the number of candidates for each mask;
        UserError if the model fills none.
        """
        backend = open_backend(folder, engine, many=many)
        tokenizer = Tokenizer.load(folder)
        answer: Callable[[Encoding, npt.NDArray[np.float32]], Answer]
        if weights.head_of(folder) is MaskedLM:
            answer = MaskFiller(tokenizer, CANDIDATES if top_k is None else top_k)
        elif top_k is not None:
            raise UserError(f"--top-k {top_k}: {folder} fills no masks", "leave out --top-k")
        else:
            answer = Classifier(weights.labels_of(folder), weights.problem_of(folder))
        return cls(backend, tokenizer, max_length(folder), answer)

    def __call__(self, texts: Texts, pairs: Texts | None = None) -> Iterator[Answer]:
        """Answer for each text, in order."""
        encodings = self.tokenizer.encode(texts, pairs, max_length=self.max_length)
        answers: list[Answer] = [{} for _ in encodings]
        for index, logits in self.run(encodings):
            extra = {} if pairs is None else {"pair": pairs[index]}
            cut = {"truncated": True} if encodings[index].overflowing else {}
            answers[index] = {
                "text": texts[index],
                **extra,
                **self._answer(texts[index], encodings[index], logits),
                **cut,
            }
        yield from answers

    def _answer(self, text: str, encoding: Encoding, logits: npt.NDArray[np.float32]) -> Answer:
        try:
            return self.answer(encoding, logits)
        except UserError as error:
            raise UserError(f"text {quoted(text)}: {error.what}", error.hint) from None

    def run(self, encodings: list[Encoding]) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Yield (number of the text, its logits), in batches of similar length."""
        pad_id = self.tokenizer.pad_id
        for indices, _, logits in answered(
            self.backend,
            [len(item.ids) for item in encodings],
            lambda indices: pad([encodings[index] for index in indices], pad_id),
        ):
            yield from zip(indices, logits, strict=True)


@dataclasses.dataclass(frozen=True, slots=True)
class MaskFiller:
    """Fill every mask of a text; each gets its own candidates."""

    tokenizer: Tokenizer
    top_k: int

    def __call__(self, encoding: Encoding, logits_LV: npt.NDArray[np.float32]) -> Answer:
        """Give the candidates of each mask, and the text with the best of each."""
        ids_L = np.array(encoding.ids)
        places = np.flatnonzero(ids_L == self.tokenizer.mask_id)
        if not len(places):
            raise UserError(
                f"no {self.tokenizer.mask_token} in its first {len(ids_L)} tokens",
                f"write {self.tokenizer.mask_token} where a word is missing",
            )
        masks = [self._candidates(logits_LV[place]) for place in places]
        ids_L[places] = [mask[0]["id"] for mask in masks]
        return {"filled": self.tokenizer.decode(ids_L.tolist()).strip(), "masks": masks}

    def _candidates(self, logits_V: npt.NDArray[np.float32]) -> list[Answer]:
        # Rows of the embedding without a token take their share, but are no answer.
        probability_V = softmax(logits_V)[: self.tokenizer.vocabulary]
        best = np.argsort(-probability_V, kind="stable")[: self.top_k]
        return [
            {
                "id": int(token),
                "token": self.tokenizer.decode([int(token)]),
                "probability": float(probability_V[token]),
            }
            for token in best
        ]


@dataclasses.dataclass(frozen=True, slots=True)
class Classifier:
    """Name the likeliest label, or those that are likelier than not, or tell a number."""

    labels: tuple[str, ...]
    problem: Problem = "single_label_classification"

    def __call__(self, _encoding: Encoding, logits_C: npt.NDArray[np.float32]) -> Answer:
        """Give the answer, and every label's probability."""
        match self.problem:
            case "regression":
                return {"number": float(logits_C[0])}
            case "multi_label_classification":
                share_C = sigmoid(logits_C)
                chosen = [
                    name for name, share in zip(self.labels, share_C, strict=True) if share >= 0.5
                ]
                return {"labels": chosen, "scores": self._scores(share_C)}
            case "single_label_classification":
                share_C = softmax(logits_C)
                return {
                    "label": self.labels[int(share_C.argmax())],
                    "scores": self._scores(share_C),
                }

    def _scores(self, share_C: npt.NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self.labels, share_C.tolist(), strict=True))
