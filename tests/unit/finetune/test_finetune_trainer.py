"""Steps of a fine-tuning: how they are cut, what drops out, what is resumed."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from unmask.finetune.batches import Batches
from unmask.finetune.examples import Examples
from unmask.finetune.losses import IGNORED, OneClass, TokenClasses
from unmask.finetune.objective import Counts, Objective
from unmask.model.heads import TokenClassifier
from unmask.train.checkpoint import Checkpoints

from .conftest import (
    ALONE,
    LABELS,
    assert_same,
    both_families,
    maker,
    model_of,
    parameters,
    sequences,
    steps,
    task,
    trainer,
)


def gradients(one):
    one.step()
    return {name: parameter.grad for name, parameter in one.model.named_parameters()}


def assert_close(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-3, atol=1e-6, msg=name)


@both_families
@pytest.mark.parametrize("weights", [None, (0.3, 4.0)])
def test_a_step_does_not_depend_on_how_it_is_cut(weights, family, pretrained):
    """Weighted or not: a loss is divided by what the whole step holds."""
    what = dataclasses.replace(task(), loss=OneClass(weights))
    whole, *parts = (
        gradients(trainer(pretrained[family], what, micro_tokens=most)) for most in (9999, 50, 8)
    )

    for part in parts:
        assert_close(part, whole)


def test_the_loss_of_a_step_is_the_mean_over_its_examples(pretrained):
    one, other = (trainer(pretrained.roberta, micro_tokens=30) for _ in range(2))
    batches = other.batches.at(0)
    assert len(batches) > 3
    rows = torch.cat([other.model(b.inputs.ids_BL, b.inputs.mask_BL) for b in batches])
    expected = F.cross_entropy(rows, torch.cat([batch.targets for batch in batches]))
    expected.backward()
    found = gradients(one)

    loss, norm, examples, tokens = one.meter.state()[0]
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert (examples, tokens) == (8, sum(batch.tokens for batch in batches))
    theirs = {name: parameter.grad for name, parameter in other.model.named_parameters()}
    assert_close(found, theirs)
    whole = torch.stack([gradient.norm() for gradient in theirs.values()]).norm()
    assert norm == pytest.approx(whole.item(), rel=1e-4)


@pytest.mark.parametrize("labelled", ["none", "one sentence"])
def test_sentences_without_a_labelled_token_are_no_error(labelled):
    some = sequences(8)
    targets_T = np.full(len(some.ids_T), IGNORED)
    if labelled != "none":
        targets_T[2] = 1
    examples = Examples(some, targets_T, by_token=True)
    batches = Batches.of(examples, maker("roberta"), 0, batch=8, most_tokens=1).at(0)
    model = model_of(TokenClassifier)
    objective = Objective(model, TokenClasses(), "fp32")
    counts = Counts.of(batches, TokenClasses(), ALONE)
    losses = [counts.mean_loss(objective(batch)) for batch in batches]
    sum(losses).backward()

    assert len(batches) == 8
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())
    assert (float(sum(losses).detach()) == 0) == (labelled == "none")


@pytest.mark.parametrize("killed_after", [1, 3])
@pytest.mark.parametrize("flags", [{}, {"frozen_layers": 1, "layer_decay": 0.7}], ids=str)
def test_killed_and_resumed_equals_never_stopped(flags, killed_after, tmp_path, pretrained):
    """Weights, moments, what the next row says, what the guard knows."""
    flags = {"dropout": 0.2, "micro_tokens": 50} | flags
    straight = steps(trainer(pretrained.bert, **flags), 6)
    killed = steps(trainer(pretrained.bert, **flags), killed_after)
    store = Checkpoints(tmp_path, keep=1, ranks=ALONE)
    store.save(killed_after, killed.model, killed.update.optimizer, killed.state())

    resumed = trainer(pretrained.bert, **flags)
    for parameter in resumed.model.parameters():
        torch.nn.init.constant_(parameter, 3.0)
    resumed.restore(store.restore(store.newest(), resumed.model, resumed.update.optimizer))
    steps(resumed, 6 - killed_after)

    assert_same(parameters(resumed), parameters(straight))
    assert resumed.state() == straight.state()
    theirs = straight.update.optimizer.state_dict()["state"]
    for number, own in resumed.update.optimizer.state_dict()["state"].items():
        assert_same(own, theirs[number])


def test_the_state_is_what_json_can_hold(pretrained):
    state = steps(trainer(pretrained.roberta), 2).state()

    assert state == json.loads(json.dumps(state))
    assert (state["step"], state["scale"], len(state["meter"])) == (2, None, 2)


def test_dropout_is_that_of_the_place_and_not_of_what_was_drawn_before(pretrained):
    one, other = (trainer(pretrained.roberta, dropout=0.3) for _ in range(2))
    torch.rand(17)
    first = gradients(one)
    torch.rand(5)

    assert_same(first, gradients(other))


def test_micro_batches_steps_and_seeds_drop_other_numbers(pretrained, monkeypatch):
    seeds = []
    manual_seed = torch.manual_seed
    monkeypatch.setattr(torch, "manual_seed", lambda seed: seeds.append(seed) or manual_seed(seed))

    for seed in (0, 1):
        steps(trainer(pretrained.roberta, micro_tokens=50, seed=seed), 3)

    assert len(seeds) > 12
    assert len(set(seeds)) == len(seeds)


def test_looking_at_dev_changes_nothing_of_the_training(pretrained):
    straight, looking = (trainer(pretrained.bert, dropout=0.3) for _ in range(2))
    for _ in range(3):
        straight.step()
        first = looking.dev_logits()
        np.testing.assert_array_equal(first, looking.dev_logits())
        looking.step()

    assert first.shape == (16, len(LABELS))
    assert_same(parameters(straight), parameters(looking))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_step_that_gives_no_number_changes_nothing_and_is_counted(value, pretrained):
    one = steps(trainer(pretrained.roberta), 2)
    before, forward = parameters(one), one.update.objective.forward
    one.update.objective.forward = lambda batch: forward(batch)._replace(
        loss=forward(batch).loss * value
    )

    one.step()

    assert one.steps_done == 3
    assert_same(parameters(one), before)
    assert one.update.guard.report() == (1, 1)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"warmup_steps": 4}, [0.25, 0.5, 0.75, 1.0, 1.0, 5 / 6]),
        ({"warmup_share": 0.2}, [0.5, 1.0, 1.0, 7 / 8]),
        ({"warmup_share": 0.0, "warmup_steps": None}, [1.0, 0.9]),
    ],
    ids=str,
)
def test_the_rate_rises_and_falls_in_a_line(flags, expected, pretrained):
    flags = {"warmup_steps": None} | flags
    one = trainer(pretrained.roberta, peak_lr=2.0, **flags)

    assert [one.lr(step) / 2.0 for step in range(len(expected))] == pytest.approx(expected)
    assert one.lr(10) == 0.0


def test_clipping_takes_effect(pretrained):
    free, clipped = (trainer(pretrained.roberta, clip_norm=norm) for norm in (0.0, 1e-3))
    for one in (free, clipped):
        one.step()

    norm = free.meter.state()[0][1]
    assert clipped.meter.state()[0][1] == norm
    moments = [one.update.optimizer.state.values() for one in (clipped, free)]
    for ours, theirs in zip(*moments, strict=True):
        shortened = theirs["exp_avg"] * (1e-3 / norm)
        torch.testing.assert_close(ours["exp_avg"], shortened, rtol=1e-4, atol=1e-12)


def test_it_learns(pretrained):
    one = trainer(pretrained.roberta, task(200), steps=60, batch=16)
    before = one.task.dev.judge.scores(one.dev_logits())
    steps(one, 60)
    after = one.task.dev.judge.scores(one.dev_logits())

    assert after["trust"] > before["trust"] + 0.2
    assert after["accuracy"] > 0.9
