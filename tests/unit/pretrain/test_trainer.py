"""A step and its loss; what is resumed; what is measured.

B blocks, L length, M masked positions, V vocabulary.
"""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from unmask.train import checkpoint

from .conftest import FakePlan, lengths, trainer

KINDS = [
    pytest.param({"balanced": balanced, "pairs": pairs}, id=f"balanced={balanced}, pairs={pairs}")
    for balanced in (False, True)
    for pairs in (False, True)
]
both_families = pytest.mark.parametrize("family", ["roberta", "bert"])


def gradients(one):
    one.step()
    return {name: parameter.grad for name, parameter in one.model.named_parameters()}


def assert_close(ours, theirs, atol):
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=atol, msg=name)


@both_families
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_does_not_depend_on_how_it_is_cut(kind, family):
    plan = FakePlan(lengths(), **kind)

    whole = gradients(trainer(plan, family=family, micro_batch=12))

    assert all(gradient is not None for gradient in whole.values())
    for micro_batch in (1, 3):
        parts = gradients(trainer(plan, family=family, micro_batch=micro_batch))
        assert_close(parts, whole, atol=1e-6)


@both_families
@pytest.mark.parametrize("balanced", [False, True])
def test_the_loss_is_the_mean_over_masked_tokens_plus_the_mean_over_pairs(balanced, family):
    plan = FakePlan(lengths(), pairs=True, balanced=balanced)
    one, other = (trainer(plan, family=family, micro_batch=2) for _ in range(2))

    logits, targets, follows, classes = [], [], [], []
    for batch in other.train.step(0):
        logits_MV, follows_B2 = other.model(
            batch.ids_BL, batch.mask_BL, batch.types_BL, batch.positions_M
        )
        logits.append(logits_MV)
        targets.append(batch.targets_M)
        follows.append(follows_B2)
        classes.append(batch.follows_B)
    masked = F.cross_entropy(torch.cat(logits), torch.cat(targets))
    pairs = F.cross_entropy(torch.cat(follows), torch.cat(classes))
    (masked + pairs).backward()
    done = one.step()

    expected = {name: parameter.grad for name, parameter in other.model.named_parameters()}
    found = {name: parameter.grad for name, parameter in one.model.named_parameters()}
    assert_close(found, expected, atol=1e-6)
    assert float(done.loss) == pytest.approx(masked.item(), rel=1e-5)
    assert float(done.nsp_loss) == pytest.approx(pairs.item(), rel=1e-5)
    right = torch.cat(follows).argmax(-1) == torch.cat(classes)
    assert float(done.nsp_accuracy) == pytest.approx(float(right.float().mean()))


def test_a_step_says_what_it_read_and_computed():
    plain = trainer(FakePlan(lengths())).step()
    short = trainer(FakePlan(lengths(), balanced=True)).step()

    assert (plain.blocks, plain.places) == (12, 12 * 32)
    assert plain.tokens < plain.places
    assert plain.nsp_loss is plain.nsp_accuracy is None
    assert short.blocks > 12
    assert short.tokens / short.places > plain.tokens / plain.places


@pytest.mark.parametrize("kind", KINDS)
def test_killed_and_resumed_equals_never_stopped(kind, tmp_path):
    plan = FakePlan(lengths(), **kind)
    straight = trainer(plan, dropout=0.1)
    for _ in range(6):
        straight.step()
    killed = trainer(plan, dropout=0.1)
    for _ in range(3):
        killed.step()
    checkpoint.save(tmp_path, 3, killed.model, killed.optimizer, {}, keep=1)

    resumed = trainer(plan, dropout=0.1)
    for parameter in resumed.model.parameters():
        torch.nn.init.constant_(parameter, 3.0)
    checkpoint.restore(tmp_path / "step-3", resumed.model, resumed.optimizer)
    resumed.steps_done = 3
    for _ in range(3):
        resumed.step()

    theirs = dict(resumed.model.named_parameters())
    for name, parameter in straight.model.named_parameters():
        assert torch.equal(parameter, theirs[name]), name
    assert any("next_sentence" in name for name in theirs) == plan.pairs


@both_families
def test_both_tasks_are_learnt_and_measured(family):
    plan = FakePlan(lengths(200, most=20), pairs=True, balanced=True)
    valid = FakePlan(lengths(50, most=20, seed=1), pairs=True, balanced=True)
    one = trainer(plan, family=family, valid=valid, valid_blocks=20)

    before = one.evaluate()
    for _ in range(40):
        one.step()
    after = one.evaluate()

    assert after.loss < before.loss
    assert after.nsp_loss < 0.5 * before.nsp_loss
    assert after.nsp_accuracy > 0.9
    assert "next-sentence accuracy" in after.said()


def test_what_is_measured_does_not_depend_on_how_it_is_cut():
    plan = FakePlan(lengths(), pairs=True)
    valid = FakePlan(lengths(30, seed=1), pairs=True)

    one, other = (
        trainer(plan, valid=valid, valid_blocks=25, micro_batch=size).evaluate() for size in (1, 12)
    )

    assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert one.nsp_loss == pytest.approx(other.nsp_loss, rel=1e-5)
    assert one.masked_tokens == other.masked_tokens
    assert one.nsp_accuracy == other.nsp_accuracy


def test_a_plan_without_pairs_is_measured_without_them():
    scores = trainer(FakePlan(lengths()), valid=FakePlan(lengths(5)), valid_blocks=20).evaluate()

    assert list(scores.row()) == ["loss", "perplexity", "accuracy", "masked_tokens"]
    assert "next-sentence" not in scores.said()


@pytest.mark.parametrize("pairs", [False, True])
def test_a_step_that_masks_nothing_by_chance_is_no_error(pairs):
    plan = FakePlan(np.full(20, 6, dtype=np.uint32), pairs=pairs)
    one = trainer(plan, valid=plan, batch=1, micro_batch=1, valid_blocks=1)
    empty = SimpleNamespace(positions_M=np.zeros(0, np.int64), targets_M=np.zeros(0, np.int64))

    def masks_nothing(ids_BL, epoch_B, block_B):
        empty.ids_BL = ids_BL
        return empty

    one.train, one.valid = (
        dataclasses.replace(data, masker=masks_nothing) for data in (one.train, one.valid)
    )

    assert float(one.step().loss) == 0
    assert one.evaluate().loss == 0


def test_nothing_held_out_is_not_measured():
    assert trainer(FakePlan(lengths())).evaluate() is None
