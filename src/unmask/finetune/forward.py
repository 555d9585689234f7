"""A model over sequences: no padding is computed but in attention.

Legend: B sequences, T real tokens, N all sequences, C classes.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from unmask.core.progress import bar
from unmask.finetune.inputs import Inputs, Maker, tokens_of
from unmask.finetune.sequences import Sequences
from unmask.model.heads import MultipleChoice, SequenceClassifier, SpanExtractor, TokenClassifier
from unmask.tokenizer.batch import by_length
from unmask.train.config import Precision
from unmask.train.precision import autocast
from unmask.train.ranks import Ranks

FinetunedModel = SequenceClassifier | MultipleChoice | TokenClassifier | SpanExtractor
Logits = npt.NDArray[np.float32]

TOKENS_PER_BATCH = 8192


def logits(model: FinetunedModel, inputs: Inputs) -> Tensor:
    """Logits of each sequence, (B, C), or, where a head looks at tokens, of each one, (T, C)."""
    read = inputs.ids_BL, inputs.mask_BL, inputs.types_BL, inputs.real_T
    if isinstance(model, TokenClassifier | SpanExtractor):
        return model.head(model.encoder.packed(*read))
    first_B1 = torch.zeros_like(inputs.ids_BL[:, :1])
    ids_BL, *others = read
    return model.head(model.encoder.asked(ids_BL, first_B1, *others)[:, 0])


def by_token(model: FinetunedModel) -> bool:
    """Whether the head answers for each token."""
    return isinstance(model, TokenClassifier | SpanExtractor)


@torch.inference_mode()
def all_logits(
    model: FinetunedModel, sequences: Sequences, maker: Maker, precision: Precision, ranks: Ranks
) -> Logits:
    """Logits of all sequences, (N, C), or of all their tokens, (T, C), in order.

    The processes share the sequences, and all of them get all the answers.
    """
    was_training = model.training
    model.eval()
    groups = by_length(sequences.lengths_N.tolist(), TOKENS_PER_BATCH)
    mine = [np.array(group) for group in groups[ranks.rank :: ranks.size]]
    answers = []
    with bar("predict", len(groups)) as progress:
        for index_B in mine:
            inputs = maker(sequences, index_B).to(ranks.device)
            with autocast(precision, ranks.device):
                answers.append(logits(model, inputs).float().cpu().numpy())
            progress.advance(ranks.size)
    model.train(was_training)
    return _in_order(model, sequences, ranks.gathered(list(zip(mine, answers, strict=True))))


def _in_order(
    model: FinetunedModel, sequences: Sequences, found: list[tuple[npt.NDArray[np.int64], Logits]]
) -> Logits:
    assert found, "there is something to answer"
    rows = len(sequences.ids_T) if by_token(model) else len(sequences)
    all_rows = np.zeros((rows, found[0][1].shape[1]), np.float32)
    for index_B, answer in found:
        all_rows[tokens_of(sequences, index_B) if by_token(model) else index_B] = answer
    return all_rows
