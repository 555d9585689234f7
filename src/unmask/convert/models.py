"""From a checkpoint of fairseq to one of our models: the encoder and one of its heads."""

from collections.abc import Mapping

import torch
from torch import Tensor

from unmask.convert.checkpoint import HINT, Checkpoint, require
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.model import fairseq, tensors
from unmask.model.heads import M, MaskedLM, MultipleChoice, SequenceClassifier
from unmask.model.problem import Problem
from unmask.model.tensors import Modules

LM = "lm_head"
"""The name by which --head asks for the masked language model."""


def choose(held: Checkpoint, asked: str | None) -> str:
    """Find the head that is asked for, or the only one; say which are left out.

    UserError if there is no such head, or several and none is asked for.
    """
    names = [*held.heads, *([LM] if held.lm_head else [])]
    if asked is None and len(held.heads) > 1:
        raise UserError(
            f"{held.path}: holds the heads {', '.join(names)}", "name one of them by --head"
        )
    if not names:
        raise UserError(f"{held.path}: holds an encoder without a head", HINT)
    head = names[0] if asked is None else asked
    if head not in names:
        raise UserError(
            f"{held.path}: holds no head {head}", f"--head names one of: {', '.join(names)}"
        )
    left_out = [name for name in names if name != head]
    if left_out:
        say(f"{held.path}: the head {head} is taken; left out: {', '.join(left_out)}")
    return head


def masked_lm(held: Checkpoint) -> MaskedLM:
    """Build the masked language model; UserError if its head stands for none, or is untied."""
    if not held.lm_head.get(f"{fairseq.LM_HEAD}.dense.weight", torch.ones(1)).any():
        raise UserError(
            f"{held.path}: its lm_head is all zeros, so it can fill no mask",
            f"--head names one of: {', '.join(held.heads) or 'none'}",
        )
    theirs = {**held.encoder, **held.lm_head}
    tensors.untie(theirs, fairseq.TIED, held.path)
    with torch.device("meta"):
        model = MaskedLM(held.config)
    return _filled(model, held, theirs, fairseq.MODULES)


def classifier(held: Checkpoint, head: str, labels: tuple[str, ...]) -> SequenceClassifier:
    """Build what tells a label or, as the checkpoint says, numbers (models/roberta/model.py)."""
    problem: Problem = "regression" if held.regresses(head) else "single_label_classification"
    with torch.device("meta"):
        model = SequenceClassifier(held.config, labels, problem)
    return _filled(model, held, _with(held, head), fairseq.modules(head))


def multiple_choice(held: Checkpoint, head: str) -> MultipleChoice:
    """Build what scores choices (tasks/sentence_ranking.py)."""
    with torch.device("meta"):
        model = MultipleChoice(held.config)
    return _filled(model, held, _with(held, head), fairseq.modules(head))


def _with(held: Checkpoint, head: str) -> dict[str, Tensor]:
    require(held.settings, "pooler_activation_fn", "tanh", held.path)
    stem = f"classification_heads.{head}"
    return {**held.encoder, **{f"{stem}.{name}": x for name, x in held.heads[head].items()}}


def _filled(model: M, held: Checkpoint, theirs: Mapping[str, Tensor], modules: Modules) -> M:
    names = tensors.names(model, modules)
    expected = tensors.split(model.state_dict(), names)
    tensors.check(theirs, expected, f"{held.path}: does not hold a RoBERTa", HINT)
    model.load_state_dict(tensors.join(theirs, names), assign=True)
    return model
