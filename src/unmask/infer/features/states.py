"""Hidden states as features, of texts and of their tokens.

B batch, L length, N texts, K layers asked for, T tokens of a text, D width.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.model import weights
from unmask.model.encoder import Encoder
from unmask.model.heads import MaskedLM
from unmask.tokenizer.batch import by_length, pad
from unmask.tokenizer.tokenizer import Tokenizer

TOKENS_PER_BATCH = 4096
LAST = (-1,)

Floats = npt.NDArray[np.float32]
Pooling = Literal["first", "mean"]


@dataclasses.dataclass(frozen=True, slots=True)
class TokenFeatures:
    """The states of every token of a text, special tokens included."""

    tokens: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    """Characters of each token in its text; (0, 0) for special tokens."""
    vectors_KTD: Floats


class Extractor:
    """An encoder without its head, on the CPU, or on the GPU where there is one."""

    def __init__(self, encoder: Encoder, tokenizer: Tokenizer) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.encoder = encoder.eval().to(self._device)
        self.tokenizer = tokenizer
        self.max_length = encoder.config.max_length

    @classmethod
    def open(cls, folder: Path) -> "Extractor":
        """Load the encoder of a model folder, whatever head is on it."""
        return cls(weights.load_encoder(folder, MaskedLM).encoder, Tokenizer.load(folder))

    def encode(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> list[Encoding]:
        """Encode texts, cut to what the model reads; how many were cut is said."""
        encodings = self.tokenizer.encode(texts, pairs, max_length=self.max_length)
        cut = sum(bool(encoding.overflowing) for encoding in encodings)
        if cut:
            say(f"{cut:,} of {len(encodings):,} texts were cut to {self.max_length} tokens")
        return encodings

    def states(
        self, encodings: Sequence[Encoding], layers: Sequence[int]
    ) -> Iterator[tuple[int, Floats]]:
        """Yield (number of the text, its states_KTD), each text once, in any order.

        Layer 0 is the embedding, n what block n gives, and -1 the last, as in fairseq's
        extract_features and transformers' hidden_states. UserError for a layer there is not.
        """
        chosen = self._existing(layers)
        with bar("extracting features", len(encodings)) as shown:
            for indices in by_length(
                [len(encoding) for encoding in encodings], max(TOKENS_PER_BATCH, self.max_length)
            ):
                states_KBLD = self._run([encodings[index] for index in indices], chosen)
                for row, index in enumerate(indices):
                    yield index, states_KBLD[:, row, : len(encodings[index])]
                shown.advance(len(indices))

    @torch.inference_mode()
    def _run(self, encodings: Sequence[Encoding], layers: Sequence[int]) -> Floats:
        batch = pad(encodings, self.tokenizer.pad_id)
        ids_BL, mask_BL, types_BL = (
            torch.from_numpy(array).to(self._device)
            for array in (batch.ids_BL, batch.mask_BL, batch.types_BL)
        )
        states = self.encoder.hidden_states(
            ids_BL, None if batch.mask_BL.all() else mask_BL, types_BL
        )
        states_KBLD: Floats = torch.stack([states[layer] for layer in layers]).cpu().numpy()
        return states_KBLD

    def _existing(self, layers: Sequence[int]) -> list[int]:
        blocks = self.encoder.config.layers
        for layer in layers:
            if not -blocks - 1 <= layer <= blocks:
                raise UserError(
                    f"layer {layer}: the model has {blocks} blocks",
                    f"choose 0 (the embedding) to {blocks}, or -1 (the last) to {-blocks - 1}",
                )
        if not layers:
            raise UserError("no layers", "choose at least one; -1 is the last")
        return [layer % (blocks + 1) for layer in layers]


def text_features(
    extractor: Extractor,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    *,
    layers: Sequence[int] = LAST,
    pooling: Pooling = "mean",
) -> Floats:
    """Give one vector for each text and layer, vectors_NKD.

    "first" is the state of `<s>` or `[CLS]`; "mean" the mean over all tokens of the text, special
    tokens included and padding not (Reimers and Gurevych 2019, section 3).
    """
    encodings = extractor.encode(texts, pairs)
    shape = len(texts), len(layers), extractor.encoder.config.width
    vectors_NKD = np.zeros(shape, np.float32)
    for index, states_KTD in extractor.states(encodings, layers):
        first = pooling == "first"
        vectors_NKD[index] = states_KTD[:, 0] if first else states_KTD.mean(axis=1)
    return vectors_NKD


def token_features(
    extractor: Extractor,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    *,
    layers: Sequence[int] = LAST,
) -> list[TokenFeatures]:
    """Give a vector for each token of each text and layer, in the order of the texts."""
    encodings = extractor.encode(texts, pairs)
    states = {index: states_KTD.copy() for index, states_KTD in extractor.states(encodings, layers)}
    return [
        TokenFeatures(tuple(encoding.tokens), tuple(encoding.offsets), states[index])
        for index, encoding in enumerate(encodings)
    ]
