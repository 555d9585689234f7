"""The weights a model starts from."""

import torch

from unmask.model.heads import Model


@torch.no_grad()
def initialise(model: Model, seed: int) -> None:
    """Set every parameter; the same seed gives the same weights on every device.

    | parameter                          | start                       |
    |------------------------------------|-----------------------------|
    | matrices of linear layers          | N(0, init_std)              |
    | embeddings of words, places, types | N(0, init_std)              |
    | their row of padding               | 0                           |
    | every bias                         | 0                           |
    | weights of LayerNorm               | 1                           |

    As in BERT and RoBERTa (fairseq/modules/transformer_sentence_encoder.py, init_bert_params).
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            normal = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(normal * model.config.init_std)
        else:
            parameter.fill_(1.0 if name.endswith("norm.weight") else 0.0)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding) and module.padding_idx is not None:
            module.weight[module.padding_idx] = 0.0
