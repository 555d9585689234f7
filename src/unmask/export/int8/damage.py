"""How far a model's answers are from those that it gives in float.

Legend: B sequences, L length, T their tokens, R states that the head reads, D width, N things that
are answered, C classes.
"""

import torch
from torch import Tensor

from unmask.export.int8.calibration import states
from unmask.export.int8.sites import Model
from unmask.finetune.inputs import Inputs
from unmask.model.heads import MaskedLM, MultipleChoice, SequenceClassifier, SpanExtractor

PLACES = 128
"""Of a batch at which a masked language model is asked: a row is the whole vocabulary."""
NEVER = -1e30


def answers(model: Model, inputs: Inputs) -> Tensor:
    """Logits of sequences or tokens, (N, C); of a masked LM, at PLACES tokens of the batch."""
    hidden_RD = states(model, inputs)
    if isinstance(model, MaskedLM):
        places = torch.linspace(0, len(hidden_RD) - 1, min(PLACES, len(hidden_RD)))
        hidden_RD = hidden_RD[places.round().long().to(hidden_RD.device)]
    return model.head(hidden_RD)


def damages(model: Model, inputs: Inputs, float_NC: Tensor, found_NC: Tensor) -> Tensor:
    """The distance of two answers for each thing that was asked, in the head's own measure.

    | head                            | distance, 0 for the same answer                          |
    |---------------------------------|----------------------------------------------------------|
    | one class; tokens; masked LM    | KL divergence from the answer in float, in nats          |
    | several classes                 | the same of each class, yes or no, summed                |
    | spans                           | the same over a sequence's places: of starts, of ends    |
    | a number; choices               | squared difference                                       |
    """
    float_NC, found_NC = float_NC.double(), found_NC.double()
    match model:
        case SpanExtractor():
            rows = _by_sequence(inputs, float_NC), _by_sequence(inputs, found_NC)
            return _divergence(*rows)
        case MultipleChoice():
            return (found_NC - float_NC).square().sum(1)
        case SequenceClassifier(problem="regression"):
            return (found_NC - float_NC).square().sum(1)
        case SequenceClassifier(problem="multi_label_classification"):
            # yes and no as two classes: sigmoid(x) is the softmax of x and 0
            return _divergence(_yes_no(float_NC), _yes_no(found_NC)).sum(1)
    return _divergence(float_NC, found_NC)


def _divergence(float_NC: Tensor, found_NC: Tensor) -> Tensor:
    """KL divergence of softmax(found) from softmax(float), over the last axis."""
    float_NC, found_NC = float_NC.log_softmax(-1), found_NC.log_softmax(-1)
    return (float_NC.exp() * (float_NC - found_NC)).sum(-1)


def _yes_no(logits_NC: Tensor) -> Tensor:
    return torch.stack([logits_NC, torch.zeros_like(logits_NC)], -1)


def _by_sequence(inputs: Inputs, logits_T2: Tensor) -> Tensor:
    """Starts and ends of each sequence over its own places, (2 * B, L)."""
    shape = *inputs.ids_BL.shape, logits_T2.shape[1]
    if inputs.real_T is not None:
        never_P2 = logits_T2.new_full((inputs.ids_BL.numel(), shape[2]), NEVER)
        logits_T2 = never_P2.index_copy(0, inputs.real_T, logits_T2)
    return logits_T2.view(shape).transpose(1, 2).flatten(0, 1)
