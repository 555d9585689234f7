"""How much work a request is: sentences, real tokens, floating-point operations.

Legend: N sequences, Q different inputs, W kinds of work.
"""

import numpy as np

from unmask.bench.stats import Floats
from unmask.bench.workloads import Case
from unmask.finetune.sequences import Ints
from unmask.model.config import ModelConfig
from unmask.model.flops import training_flops

COUNTED = (
    "floating-point operations of the real tokens: a multiply and an add are two; matrices of the "
    "layers, attention over a sequence's own tokens, and the head of masked language models; "
    "padding, heads of classifiers, LayerNorm, GELU and softmax are not counted"
)


def work(case: Case, model: ModelConfig, *, language_model: bool) -> Floats:
    """Sentences, real tokens and floating-point operations of each input, (Q, 3)."""
    return np.array(
        [
            (
                len(one),
                one.lengths_N.sum(),
                flops(one.lengths_N, model, language_model=language_model),
            )
            for one in case.inputs
        ],
        np.float64,
    )


def flops(lengths_N: Ints, model: ModelConfig, *, language_model: bool) -> float:
    """Operations to run sequences forward: a third of what training on them takes."""
    head = float(language_model)
    total = 0.0
    for length in lengths_N.tolist():
        total += length * training_flops(model, length=length, masked_share=head) / 3
    return total
