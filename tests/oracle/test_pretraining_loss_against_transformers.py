"""The loss of both objectives and its gradients, beside BertForPreTraining.

B blocks, L length, M masked positions, N places asked for.
"""

import pytest
import torch

from unmask.model import heads, huggingface, tensors
from unmask.model.config import ModelConfig
from unmask.model.init import initialise
from unmask.pretrain.batches import MaskedBatch
from unmask.pretrain.objective import Counts, Objective
from unmask.train.ranks import Ranks

transformers = pytest.importorskip("transformers")

CONFIG = ModelConfig(
    family="bert",
    vocabulary=37,
    layers=2,
    width=32,
    heads=4,
    feed_forward=48,
    max_length=14,
    types=2,
    norm_eps=1e-12,
    dropout=0.0,
    attention_dropout=0.0,
    pad_id=0,
)


def batch_of(pairs):
    lengths_B = torch.randint(6, 13, (pairs,))
    mask_BL = torch.arange(12) < lengths_B[:, None]
    ids_BL = torch.randint(4, 37, (pairs, 12)) * mask_BL
    masked_BL = mask_BL & (torch.rand(pairs, 12) < 0.3)
    masked_BL[0] = False  # a block without any
    # What is asked for: <s>, then what is masked, then place 0 in vain.
    places_BN = torch.zeros(pairs, 1 + int(masked_BL.sum(1).max()), dtype=torch.int64)
    asked_BN = torch.zeros_like(places_BN, dtype=torch.bool)
    for row, masked_L in enumerate(masked_BL):
        found = masked_L.nonzero().flatten()
        places_BN[row, 1 : 1 + len(found)] = found
        asked_BN[row, 1 : 1 + len(found)] = True
    return masked_BL, MaskedBatch(
        number=0,
        ids_BL=ids_BL,
        mask_BL=mask_BL,
        types_BL=((torch.arange(12) >= 4) & mask_BL).long(),
        places_BN=places_BN,
        asked_M=asked_BN.flatten().nonzero().flatten(),
        targets_M=torch.randint(4, 37, (int(masked_BL.sum()),)),
        follows_B=torch.randint(0, 2, (pairs,)),
        tokens=int(mask_BL.sum()),
    )


def test_loss_and_gradients_of_both_objectives_are_those_of_bert():
    """transformers, too, adds the mean over masked tokens and the mean over pairs."""
    ours = heads.Pretraining(CONFIG)
    initialise(ours, seed=0)
    names = huggingface.names(ours)
    table = huggingface.to_table(ours)
    theirs = transformers.BertForPreTraining(transformers.AutoConfig.for_model(**table))
    theirs.load_state_dict(tensors.split(ours.state_dict(), names), strict=False)
    masked_BL, batch = batch_of(pairs=5)
    labels_BL = torch.full_like(batch.ids_BL, -100)
    labels_BL[masked_BL] = batch.targets_M

    sums = Objective(ours, "fp32")(batch)
    loss = Counts.of([batch], Ranks(torch.device("cpu"))).mean_loss(sums)
    loss.backward()
    done = theirs(
        batch.ids_BL,
        attention_mask=batch.mask_BL.long(),
        token_type_ids=batch.types_BL,
        labels=labels_BL,
        next_sentence_label=batch.follows_B,
    )
    done.loss.backward()

    torch.testing.assert_close(loss, done.loss, rtol=0, atol=2e-6)
    right_M = done.prediction_logits[masked_BL].argmax(-1) == batch.targets_M
    right_B = done.seq_relationship_logits.argmax(-1) == batch.follows_B
    assert (int(sums.right), int(sums.nsp_right)) == (int(right_M.sum()), int(right_B.sum()))
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    found = tensors.split(gradients, names)
    assert len(found) > 30
    for name, parameter in theirs.named_parameters():
        if name in found:
            torch.testing.assert_close(found[name], parameter.grad, rtol=0, atol=2e-6, msg=name)
