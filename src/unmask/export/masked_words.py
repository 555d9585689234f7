"""Masked words as the yardstick of a language model: which of them it still finds.

Legend: N texts, T tokens of all of them, M masked places, V vocabulary.
"""

import dataclasses
from itertools import islice
from pathlib import Path

import numpy as np

from unmask.core.errors import UserError
from unmask.core.progress import bar
from unmask.export.config import ExportConfig
from unmask.export.yardstick import data_of
from unmask.finetune.inputs import tokens_of
from unmask.finetune.known import Known
from unmask.finetune.sequences import Ints, Sequences
from unmask.finetune.task import Scores
from unmask.infer import texts
from unmask.infer.backend import Backend, Logits
from unmask.infer.batches import answered, padded
from unmask.infer.config import PredictConfig
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer

MOST = 256
"""Texts; the logits of a place are as many as the vocabulary has words."""
ONE_IN = 8
METRIC = "masked_accuracy"
OF_LABELS = ("task", "choices", "windows", "entities", "order")


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedWords:
    """Texts of which every eighth token is hidden."""

    data: Path
    sequences: Sequences
    place_M: Ints
    """Which of all tokens are hidden, ascending."""
    hidden_M: Ints
    """What stood there."""
    pad_id: int

    @classmethod
    def read(cls, config: ExportConfig, known: Known, tokenizer: Tokenizer) -> "MaskedWords":
        """Read texts and hide words; UserError without texts, or with too few words in them."""
        _refuse_unread(config)
        data = data_of(config, known)
        sequences = text_sequences(data, config, tokenizer)
        ids_T = sequences.ids_T.astype(np.int64)
        real_T = np.flatnonzero(~np.isin(ids_T, tokenizer.special_ids))
        place_M = real_T[ONE_IN // 2 :: ONE_IN]
        if not len(place_M):
            raise UserError(f"{data}: too little text to hide words in", "give more of it")
        hidden_M = ids_T[place_M]
        ids_T[place_M] = tokenizer.mask_id
        sequences = dataclasses.replace(sequences, ids_T=ids_T.astype(np.int32))
        return cls(data, sequences, place_M, hidden_M, tokenizer.pad_id)

    def logits(self, backend: Backend) -> list[Logits]:
        """What a backend says at the hidden places, (M, V)."""
        found: Logits | None = None
        with bar("predict", len(self.sequences)) as progress:
            for group, batch, logits in answered(
                backend,
                self.sequences.lengths_N.tolist(),
                lambda group: padded(self.sequences, np.array(group), self.pad_id),
            ):
                token_R = tokens_of(self.sequences, np.array(group))
                asked_R = np.isin(token_R, self.place_M)
                rows_MV = logits[batch.mask_BL][asked_R]
                if found is None:
                    found = np.zeros((len(self.place_M), logits.shape[-1]), np.float32)
                found[np.searchsorted(self.place_M, token_R[asked_R])] = rows_MV
                progress.advance(len(group))
        assert found is not None, "there is a text"
        return [found]

    def choices(self, logits: list[Logits]) -> list[Ints]:
        """The likeliest word of each place."""
        return [logits[0].argmax(-1)]

    def scores(self, logits: list[Logits]) -> Scores:
        """The share of hidden tokens that are found."""
        return {METRIC: float((logits[0].argmax(-1) == self.hidden_M).mean())}

    def metric(self, scores: Scores) -> str:
        """The only score."""
        return METRIC

    def points(self, scores: Scores) -> float:
        """The share in percent."""
        return 100 * scores[METRIC]


def text_sequences(
    path: Path, config: ExportConfig, tokenizer: Tokenizer, most: int = MOST
) -> Sequences:
    """Read and encode the first texts of a file; longer ones are cut off.

    UserError for a length that the model does not read.
    """
    longest = weights.read_config(config.model).max_length
    length = config.max_length or longest
    if length > longest:
        raise UserError(
            f"--max-length {length}: {config.model} reads at most {longest} tokens",
            f"give {longest} or less",
        )
    found = [text.text for text in islice(texts.read(_reading(path, config)), most)]
    encodings = tokenizer.encode(found, None, max_length=length)
    return Sequences.of([one.ids for one in encodings], [one.type_ids for one in encodings])


def _refuse_unread(config: ExportConfig) -> None:
    """UserError for settings of labelled data, which would be ignored."""
    for name in OF_LABELS:
        given = getattr(config, name)
        if given is not None and given != type(given)():
            raise UserError(
                f"--{name} with a masked language model: it is for labelled data",
                "leave it out",
            )


def _reading(path: Path, config: ExportConfig) -> PredictConfig:
    plain = PredictConfig(model=config.model, input=path)
    if not plain.table:
        return plain
    return dataclasses.replace(plain, text_column=config.columns.text)
