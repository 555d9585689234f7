"""A step and its loss; what is resumed; what is measured.

B blocks, L length, M masked positions, V vocabulary.
"""

import dataclasses
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from unmask.pretrain.masking.masker import Masked
from unmask.train.checkpoint import Checkpoints
from unmask.train.ranks import Ranks

from .conftest import (
    CPU,
    FakePlan,
    assert_same,
    last,
    lengths,
    masker,
    parameters,
    step,
    trainer,
)

KINDS = [
    pytest.param({"balanced": balanced, "pairs": pairs}, id=f"balanced={balanced}, pairs={pairs}")
    for balanced in (False, True)
    for pairs in (False, True)
]
both_families = pytest.mark.parametrize("family", ["roberta", "bert"])


def train(one, steps):
    for _ in range(steps):
        one.step()
    return one


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
    """As a plain reading has it: the whole model everywhere, and torch's own cross entropy."""
    plan = FakePlan(lengths(), pairs=True, balanced=balanced)
    one, other = (trainer(plan, family=family, micro_batch=2) for _ in range(2))

    logits, targets, follows, classes = [], [], [], []
    for batch in step(other.train):
        row_M = batch.asked_M // batch.places_BN.shape[1]
        place_M = batch.places_BN.flatten()[batch.asked_M]
        positions_M = row_M * batch.ids_BL.shape[1] + place_M
        logits_MV, follows_B2 = other.model(
            batch.ids_BL, batch.mask_BL, batch.types_BL, positions_M
        )
        logits.append(logits_MV)
        targets.append(batch.targets_M)
        follows.append(follows_B2)
        classes.append(batch.follows_B)
    logits_MV, targets_M = torch.cat(logits), torch.cat(targets)
    masked = F.cross_entropy(logits_MV, targets_M)
    pairs = F.cross_entropy(torch.cat(follows), torch.cat(classes))
    (masked + pairs).backward()
    one.step()

    expected = {name: parameter.grad for name, parameter in other.model.named_parameters()}
    found = {name: parameter.grad for name, parameter in one.model.named_parameters()}
    assert_close(found, expected, atol=1e-6)
    done = last(one)
    assert done["loss"] == pytest.approx(masked.item(), rel=1e-5)
    assert done["nsp_loss"] == pytest.approx(pairs.item(), rel=1e-5)
    right = torch.cat(follows).argmax(-1) == torch.cat(classes)
    assert done["nsp_accuracy"] == pytest.approx(float(right.float().mean()))
    right_M = logits_MV.argmax(-1) == targets_M
    assert done["accuracy"] == pytest.approx(float(right_M.float().mean()))
    norm = torch.stack([gradient.norm() for gradient in expected.values()]).norm()
    assert done["grad_norm"] == pytest.approx(float(norm), rel=1e-4)


def test_a_step_says_what_it_read_and_computed():
    full = last(train(trainer(FakePlan(np.full(50, 32, dtype=np.uint32))), 1))
    short = last(train(trainer(FakePlan(lengths(), balanced=True)), 1))

    assert (full["blocks"], full["places"], full["tokens"]) == (12, 12 * 32, 12 * 32)
    assert full["pairs"] == full["nsp_loss"] == full["nsp_accuracy"] == 0
    assert short["blocks"] > 12
    assert short["tokens"] == pytest.approx(12 * 32, rel=0.1)
    assert short["tokens"] / short["places"] > 0.75


@pytest.mark.parametrize("killed_after", [1, 3])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("kind", KINDS)
def test_killed_and_resumed_equals_never_stopped(kind, precision, killed_after, tmp_path):
    """Weights, moments, what the next row says, what the guard knows, the loss scale."""
    plan, flags = FakePlan(lengths(), **kind), {"dropout": 0.1, "precision": precision}
    straight = train(trainer(plan, **flags), 6)
    killed = train(trainer(plan, **flags), killed_after)
    store = Checkpoints(tmp_path, keep=1, ranks=Ranks(CPU))
    store.save(killed_after, killed.model, killed.optimizer, killed.state())

    resumed = trainer(plan, **flags)
    for parameter in resumed.model.parameters():
        torch.nn.init.constant_(parameter, 3.0)
    resumed.restore(store.restore(store.newest(), resumed.model, resumed.optimizer))
    train(resumed, 6 - killed_after)

    assert_same(parameters(resumed), parameters(straight))
    assert any("next_sentence" in name for name in parameters(resumed)) == plan.pairs
    assert resumed.meter.state() == straight.meter.state()
    assert resumed.state() == straight.state()
    theirs = straight.optimizer.state_dict()["state"]
    for number, own in resumed.optimizer.state_dict()["state"].items():
        assert_same(own, theirs[number])


def test_the_state_is_one_integer_of_the_data_and_what_json_can_hold():
    one = train(trainer(FakePlan(lengths()), precision="fp16"), 2)

    state = one.state()

    assert state == json.loads(json.dumps(state))
    assert (state["step"], state["consumed"], state["scale"]) == (2, 24, [2.0**16, 2.0])
    assert len(state["meter"]) == 2


def test_going_back_goes_on_with_the_data_that_comes_next(tmp_path):
    """Weights of step 2, then the data after step 5: as a run that skipped what lies between."""
    plan = FakePlan(lengths())
    one, other = trainer(plan, dropout=0.1), train(trainer(plan, dropout=0.1), 2)
    train(one, 2)
    store = Checkpoints(tmp_path, keep=1, ranks=Ranks(CPU))
    store.save(2, one.model, one.optimizer, one.state())
    train(one, 3)

    one.go_back(store.restore(store.newest(), one.model, one.optimizer))
    other.consumed = 60
    other.meter.restart()

    assert (one.steps_done, one.consumed, one.meter.steps) == (2, 60, 0)
    for each in (one, other):
        train(each, 2)
    assert_same(parameters(one), parameters(other))
    assert one.meter.state() == other.meter.state()


def test_a_batch_grows_and_leaves_no_block_out():
    plan = FakePlan(np.full(120, 32, dtype=np.uint32))
    one = trainer(plan, batch=12, micro_batch=4, batch_start=4, batch_warmup_steps=4)
    read, seen = one.train.plan.read, []

    def noted(block_B):
        seen.extend(block_B.tolist())
        return read(block_B)

    one.train.plan.read = noted
    blocks = []
    for _ in range(6):
        blocks.append(one.blocks)
        one.step()
    one.ahead.close()

    assert blocks == [4, 6, 8, 10, 12, 12]
    assert one.consumed == sum(blocks) == 52
    assert [numbers[8] for numbers in one.meter.state()] == blocks
    expected = one.train.order.at(0, 52)[1].tolist()
    assert seen[:52] == expected


def test_a_growing_batch_is_resumed_where_it_was(tmp_path):
    plan, flags = FakePlan(lengths()), {"batch_start": 4, "batch_warmup_steps": 5}
    straight, killed = trainer(plan, **flags), train(trainer(plan, **flags), 3)
    train(straight, 6)
    store = Checkpoints(tmp_path, keep=1, ranks=Ranks(CPU))
    store.save(3, killed.model, killed.optimizer, killed.state())

    resumed = trainer(plan, **flags)
    resumed.restore(store.restore(store.newest(), resumed.model, resumed.optimizer))
    train(resumed, 3)

    assert resumed.consumed == straight.consumed
    assert_same(parameters(resumed), parameters(straight))


def test_dropout_is_that_of_the_place_and_not_of_what_was_drawn_before():
    plan = FakePlan(lengths())
    one, other = (trainer(plan, dropout=0.3) for _ in range(2))
    torch.rand(17)
    first = gradients(one)
    torch.rand(5)

    assert_same(first, gradients(other))
    assert not torch.equal(gradients(one)["dense.weight"], first["dense.weight"])


def test_micro_batches_and_steps_drop_other_numbers(monkeypatch):
    seeds = []
    manual_seed = torch.manual_seed
    monkeypatch.setattr(torch, "manual_seed", lambda seed: seeds.append(seed) or manual_seed(seed))

    train(trainer(FakePlan(lengths()), micro_batch=4), 3)

    assert len(seeds) >= 9
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_step_that_gives_no_number_leaves_the_run_where_it_was_but_goes_on(value):
    one = train(trainer(FakePlan(lengths())), 2)
    before, counter = parameters(one), moment(one, "step")
    forward = one.objective.forward
    one.objective.forward = lambda batch: forward(batch)._replace(loss=forward(batch).loss * value)

    one.step()

    assert (one.steps_done, one.consumed) == (3, 36)
    assert_same(parameters(one), before)
    assert moment(one, "step") == counter == 2
    assert one.guard.report() == (1, 1)
    one.objective.forward = forward
    one.step()
    assert moment(one, "step") == 3
    assert one.guard.report() == (0, 0)


def moment(one, name):
    return float(next(iter(one.optimizer.state.values()))[name])


def test_clipping_takes_effect():
    plan = FakePlan(lengths())
    free = trainer(plan)
    clipped = trainer(plan, clip_norm=1e-3)
    for one in (free, clipped):
        one.step()

    assert last(free) == last(clipped)
    for ours, theirs in zip(
        clipped.optimizer.state.values(), free.optimizer.state.values(), strict=True
    ):
        factor = 1e-3 / last(free)["grad_norm"]
        torch.testing.assert_close(
            ours["exp_avg"], theirs["exp_avg"] * factor, rtol=1e-4, atol=1e-12
        )


def test_a_deadline_warms_up_from_its_first_step_on():
    one = trainer(FakePlan(lengths()), budget_hours=1.0, warmup_steps=None)

    first = one.lr(0)
    one.step()
    one.reckon()

    assert 0 < first < 0.001 * one.config.optim.peak_lr
    assert one.total > 100
    assert one.lr(1) < 0.5 * one.config.optim.peak_lr
    assert one.lr(one.total) == 0


def test_the_end_of_a_deadline_is_part_of_the_state():
    one = trainer(FakePlan(lengths()), budget_hours=1.0)
    one.step()
    one.reckon()
    other = trainer(FakePlan(lengths()), budget_hours=1.0)

    other.restore(json.loads(json.dumps(one.state())))

    assert other.total == one.total
    assert [other.lr(step) for step in (1, 50)] == [one.lr(step) for step in (1, 50)]


def test_what_a_step_back_cost_is_spent():
    one = trainer(FakePlan(lengths()), budget_hours=1.0)
    state = one.state()
    one.deadline._since -= 100.0

    one.go_back(state)

    assert one.deadline.state()["spent_s"] > 100.0


@both_families
def test_both_tasks_are_learnt_and_measured(family):
    plan = FakePlan(lengths(200, most=20), pairs=True, balanced=True)
    valid = FakePlan(lengths(50, most=20, seed=1), pairs=True, balanced=True)
    one = trainer(plan, family=family, valid=valid, valid_blocks=20)

    before = one.evaluate()
    train(one, 40)
    after = one.evaluate()

    assert after.loss < before.loss
    assert after.nsp_loss < 0.5 * before.nsp_loss
    assert after.nsp_accuracy > 0.9
    assert "next-sentence accuracy" in after.said()


def test_what_is_measured_does_not_depend_on_how_it_is_cut():
    plan = FakePlan(lengths(), pairs=True)
    valid = FakePlan(lengths(30, seed=1), pairs=True)

    one, other = (
        trainer(plan, valid=valid, valid_blocks=25 - 1, micro_batch=size, dropout=0.3).evaluate()
        for size in (1, 12)
    )

    assert one.loss == pytest.approx(other.loss, rel=1e-5)
    assert one.nsp_loss == pytest.approx(other.nsp_loss, rel=1e-5)
    assert one.masked_tokens == other.masked_tokens
    assert one.nsp_accuracy == other.nsp_accuracy


def test_measuring_changes_nothing_of_the_run():
    plan, valid = FakePlan(lengths()), FakePlan(lengths(30, seed=1))
    straight = train(trainer(plan, valid=valid, valid_blocks=12, dropout=0.1), 4)
    measured = trainer(plan, valid=valid, valid_blocks=12, dropout=0.1)
    for _ in range(4):
        measured.evaluate()
        measured.step()

    assert_same(parameters(measured), parameters(straight))


def test_a_plan_without_pairs_is_measured_without_them():
    scores = trainer(FakePlan(lengths()), valid=FakePlan(lengths(5)), valid_blocks=20).evaluate()

    assert list(scores.row()) == ["loss", "perplexity", "accuracy", "masked_tokens"]
    assert "next-sentence" not in scores.said()
    assert scores.perplexity == pytest.approx(math.exp(scores.loss))


@pytest.mark.parametrize("pairs", [False, True])
def test_a_step_that_masks_nothing_by_chance_is_no_error(pairs):
    plan = FakePlan(np.full(20, 6, dtype=np.uint32), pairs=pairs)
    one = trainer(plan, valid=plan, batch=1, micro_batch=1, valid_blocks=1)
    empty = np.zeros(0, np.int64)

    def masks_nothing(ids_BL, epoch_B, block_B):
        return SimpleNamespace(ids_BL=ids_BL, positions_M=empty, targets_M=empty)

    one.train, one.valid = (
        dataclasses.replace(data, masker=masks_nothing) for data in (one.train, one.valid)
    )
    one.step()

    assert last(one)["loss"] == 0
    assert one.guard.report() == (0, 0)
    assert one.evaluate().loss == 0


def test_one_part_of_a_step_may_mask_nothing():
    """Its share of the loss is zero, and its gradients are."""
    plan = FakePlan(np.full(24, 32, dtype=np.uint32))

    def masks_every_other_block(ids_BL, epoch_B, block_B):
        found = masker(ids_BL, epoch_B, block_B)
        rows = found.positions_M // ids_BL.shape[1]
        kept = block_B[rows] % 2 == 0
        return Masked(ids_BL, found.positions_M[kept], found.targets_M[kept])

    whole, parts = (trainer(plan, micro_batch=size) for size in (12, 1))
    for one in (whole, parts):
        one.train = dataclasses.replace(one.train, masker=masks_every_other_block)

    assert_close(gradients(parts), gradients(whole), atol=1e-6)


def test_nothing_held_out_is_not_measured():
    assert trainer(FakePlan(lengths())).evaluate() is None
