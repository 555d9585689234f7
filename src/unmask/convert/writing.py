"""From one of our models to a checkpoint that fairseq's own loader accepts.

V vocabulary, D width, P rows of positions.
"""

import argparse
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.model import fairseq, tensors
from unmask.model.heads import MaskedLM, Model, MultipleChoice, SequenceClassifier

Writable: TypeAlias = MaskedLM | SequenceClassifier | MultipleChoice
"""What fairseq has a class for: RobertaModel, with or without a classification head."""


def write(model: Writable, head: str, path: Path) -> None:
    """Write `path` with what checkpoint_utils.py asks for; there is no state of an optimizer.

    `head` is the name of the classification head; a masked language model has none.
    """
    args = argparse.Namespace(**arguments(model, head))
    history = {
        "criterion_name": "".join(word.title() for word in args.criterion.split("_")),
        "optimizer_name": "FairseqAdam",
        "lr_scheduler_state": {},
        "num_updates": 0,
    }
    checkpoint = {
        "args": args,
        "cfg": None,
        "model": state(model, head),
        "optimizer_history": [history],
        "last_optimizer_state": None,
        "extra_state": {
            "train_iterator": {"epoch": 1, "iterations_in_epoch": 0},
            "val_loss": None,
        },
    }
    with files.atomic(path) as file:
        torch.save(checkpoint, file)


def refuse_unfit(model: Model, where: Path) -> Writable:
    """Give the model back if fairseq has a class for it; UserError names what stands against it."""
    config = model.config
    if config.family != "roberta":
        raise UserError(f"{where}: is a {config.family} model", "fairseq's RoBERTa is the only one")
    if not isinstance(model, MaskedLM | SequenceClassifier | MultipleChoice):
        raise UserError(
            f"{where}: holds a {type(model).__name__}, which fairseq has no class for",
            "masked language models, classifiers and multiple choice can be written",
        )
    if isinstance(model, SequenceClassifier) and model.problem == "multi_label_classification":
        raise UserError(
            f"{where}: tells several labels of one text",
            "fairseq's sentence_prediction knows one label, or numbers",
        )
    fixed = {
        "norm_eps": 1e-5,
        "types": 1,
        "pad_id": fairseq.PAD,
        "bos_id": fairseq.BOS,
        "eos_id": fairseq.EOS,
    }
    for name, value in fixed.items():
        if getattr(config, name) != value:
            raise UserError(
                f"{where}: its {name} is {getattr(config, name)}",
                f"fairseq's RoBERTa has no setting for it: it is always {value:g}",
            )
    return model


def arguments(model: Writable, head: str) -> dict[str, Any]:
    """Name the settings as fairseq's command line does; the sizes, not `arch`, decide."""
    config = model.config
    return {
        "arch": "roberta",
        "task": "masked_lm",
        "data": ".",
        "bpe": "gpt2",
        "encoder_layers": config.layers,
        "encoder_embed_dim": config.width,
        "encoder_ffn_embed_dim": config.feed_forward,
        "encoder_attention_heads": config.heads,
        "max_positions": config.max_length,
        "tokens_per_sample": config.max_length,
        "dropout": config.dropout,
        "attention_dropout": config.attention_dropout,
        "activation_dropout": 0.0,
        "pooler_dropout": config.head_dropout,
        "activation_fn": "gelu",
        "pooler_activation_fn": "tanh",
        "encoder_normalize_before": False,
        "layernorm_embedding": True,
        "untie_weights_roberta": False,
        **_criterion(model, head),
    }


def state(model: Writable, head: str) -> dict[str, Tensor]:
    """Name the tensors as fairseq does.

    fairseq has no token types: our one row is added to the positions. It always has a language
    model's head: a classifier gets one of zeros.
    """
    ours = model.state_dict()
    lm = isinstance(model, MaskedLM)
    names = tensors.names(model, fairseq.MODULES if lm else fairseq.modules(head))
    theirs = tensors.split(ours, names)
    type_1D = theirs.pop(fairseq.TYPE)
    if type_1D.any():
        say("the row of token types, which fairseq does not have, is added to the positions")
        position_PD = theirs[fairseq.POSITION].clone()
        position_PD[fairseq.PAD + 1 :] += type_1D
        theirs[fairseq.POSITION] = position_PD
    if not lm:
        theirs |= _no_lm_head(theirs[fairseq.WORD])
    return theirs | {f"{fairseq.LM_HEAD}.weight": theirs[fairseq.WORD]}


def _criterion(model: Writable, head: str) -> dict[str, Any]:
    match model:
        case MaskedLM():
            return {"criterion": "masked_lm"}
        case SequenceClassifier():
            return {
                "criterion": "sentence_prediction",
                "classification_head_name": head,
                "num_classes": len(model.labels),
                "regression_target": model.problem == "regression",
            }
        case MultipleChoice():
            return {"criterion": "sentence_ranking", "ranking_head_name": head}


def _no_lm_head(word_VD: Tensor) -> dict[str, Tensor]:
    """Stand in for a head that a strict load asks for; it gives each token the same chance."""
    vocabulary, width = word_VD.shape
    shapes = {
        "bias": (vocabulary,),
        "dense.weight": (width, width),
        "dense.bias": (width,),
        "layer_norm.weight": (width,),
        "layer_norm.bias": (width,),
    }
    return {f"{fairseq.LM_HEAD}.{name}": word_VD.new_zeros(shape) for name, shape in shapes.items()}
