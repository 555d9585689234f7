"""What happens around the steps: looks at dev, patience, restarts, kills, signals."""

import dataclasses
import functools
import json
import math
import signal

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.core.manifests import Input
from unmask.core.runs import Run
from unmask.finetune import run as module
from unmask.finetune.loop import Loop, Stopped
from unmask.finetune.run import _trained
from unmask.finetune.trainer import Trainer
from unmask.train.checkpoint import Checkpoints
from unmask.train.config import TrackConfig

from .conftest import ALONE, TOKENIZER, FakeJudge, assert_same, config, parameters, task, trainer

STEPS = 12
FREE = ("time", "examples_per_s", "tokens_per_s", "memory_bytes")
"""What the course of a run does not decide."""


class KilledError(Exception):
    """Stands for SIGKILL: nothing after it is done."""


@dataclasses.dataclass
class StuckJudge(FakeJudge):
    """Finds the first attempts stuck, from their first look to the last."""

    attempts: int = 0
    attempt: int = 0

    def stuck(self, logits):
        return self.attempt < self.attempts


@dataclasses.dataclass
class ScriptedJudge:
    """Scores what is written down, look after look, and says when it is stuck."""

    found: list
    stuck_until: int = 0
    looks: int = 0

    def scores(self, logits):
        self.looks += 1
        return {"trust": self.found[self.looks - 1], "looks": float(self.looks)}

    def stuck(self, logits):
        return self.looks <= self.stuck_until


def judged(judge, count=40):
    """The task with another judge."""
    what = task(count)
    if isinstance(judge, FakeJudge):
        judge.gold_N = what.dev.judge.gold_N
    return dataclasses.replace(what, dev=dataclasses.replace(what.dev, judge=judge))


@pytest.fixture(scope="module")
def trained(pretrained):
    """Trains in a folder, as `unmask finetune` does, and is killed if that is wanted."""
    build, step, forget = module.build_trainer, Trainer.step, Loop.forget
    state = {}

    def built(settings, what, tokenizer, ranks, attempt):
        if isinstance(what.dev.judge, StuckJudge):
            what.dev.judge.attempt = attempt
        return build(settings, what, tokenizer, ranks, attempt)

    def stepped(one):
        if state["left"] == 0:
            raise KilledError
        state["left"] -= 1
        step(one)

    def forgotten(loop, why):
        if state["before_forgetting"]:
            raise KilledError
        forget(loop, why)

    def run(folder, what=None, *, left=math.inf, before_forgetting=False, data="1", **flags):
        state.update(left=left, before_forgetting=before_forgetting)
        flags = {"evaluate_every": 2, "log_every": 3, "dropout": 0.1, "steps": STEPS} | flags
        settings = config(pretrained.roberta, out=folder, **flags)
        inputs = [Input("labelled data", "d", data, "file")]
        folder.mkdir(exist_ok=True)
        return _trained(settings, what or task(), TOKENIZER, ALONE, Run(folder), inputs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "build_trainer", built)
        patch.setattr(Trainer, "step", stepped)
        patch.setattr(Loop, "forget", forgotten)
        yield run


@dataclasses.dataclass
class Ended:
    """A run that has ended: what it says and what it leaves."""

    facts: dict
    rows: dict
    last: dict
    best: dict

    @classmethod
    def of(cls, loop, folder):
        names = ("attempt", "best", "looks", "waited", "stuck")
        facts, last = {name: getattr(loop, name) for name in names}, parameters(loop.trainer)
        loop.back_to_best()
        return cls(facts, rows(folder), last, parameters(loop.trainer))

    def require(self, other):
        assert self.facts == other.facts
        assert self.rows == other.rows
        assert_same(self.last, other.last)
        assert_same(self.best, other.best)


@pytest.fixture(scope="module")
def straight(trained, tmp_path_factory):
    """Runs that nothing happens to, stuck for so many attempts."""

    @functools.cache
    def ended(attempts=0, every=2):
        folder = tmp_path_factory.mktemp("straight")
        return Ended.of(trained(folder, stuck(attempts), evaluate_every=every), folder)

    return ended


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def rows(folder, *kinds):
    """Rows of the last attempt by kind and step, a later one in the place of an earlier one."""
    found = {}
    for row in Run(folder).metrics():
        if row["kind"] == "restart":
            found = {}
        if row["kind"] in (kinds or ("train", "dev")):
            kept = {name: value for name, value in row.items() if name not in FREE}
            found[row["kind"], row["step"]] = json.dumps(kept)
    return found


def at(folder, kind):
    return [row["step"] for row in Run(folder).metrics() if row["kind"] == kind]


def kept(folder):
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def test_rows_looks_and_checkpoints_come_when_they_are_due(trained, folder):
    loop = trained(folder, evaluate_every=5)

    assert at(folder, "train") == [3, 6, 9, 12]
    assert at(folder, "dev") == [5, 10, 12]
    assert kept(folder) == sorted({f"step-{loop.best.step}", "step-12"})
    train, dev = (
        next(r for r in Run(folder).metrics() if r["kind"] == k) for k in ("train", "dev")
    )
    assert (train["skipped"], train["examples"]) == (0, 24)
    assert train["memory_bytes"] > 1e6
    assert (dev["step"], dev["epoch"]) == (5, 1.0)
    assert {"trust", "accuracy"} < dev.keys()


class Listener:
    """Stands for TensorBoard and W&B."""

    heard = None

    def __init__(self, folder, config, *, resumed, wandb):
        self.heard.append((folder, resumed, wandb))

    def tell(self, row):
        self.heard.append(row)

    def close(self):
        self.heard.append("closed")


def test_what_is_written_is_told_to_trackers_too(trained, folder, monkeypatch):
    monkeypatch.setattr(module, "Tracker", Listener)
    monkeypatch.setattr(Listener, "heard", [])
    wandb = TrackConfig(wandb="mine")
    with pytest.raises(KilledError):
        trained(folder, stuck(1), left=5, track=wandb)
    killed, Listener.heard = Listener.heard, []

    trained(folder, stuck(1), track=wandb)

    (begun, *before, ended), (again, *after, _) = killed, Listener.heard
    assert begun == (folder, 0, "mine")
    assert again == (folder, 4, "mine")
    assert ended == "closed"
    written = [row for row in Run(folder).metrics() if row["kind"] != "resume"]
    told = [row for row in before + after if row["kind"] != "resume"]
    assert [(r["kind"], r["step"]) for r in told] == [(r["kind"], r["step"]) for r in written]
    assert {"train", "dev", "restart"} <= {row["kind"] for row in told}


@pytest.mark.parametrize(
    "found", [[0.1, 0.5, 0.3], [0.5, 0.4, 0.5], [0.1, 0.2, 0.3], [0.0, 0.0, 0.0]]
)
def test_the_model_of_the_best_look_is_kept_and_of_equals_the_earlier(found, trained, folder):
    weights = []
    judge = ScriptedJudge(found)
    scores = judge.scores

    def noted(logits):
        weights.append(logits)
        return scores(logits)

    judge.scores = noted
    loop = trained(folder, judged(judge), evaluate_every=4)

    best = loop.back_to_best()

    number = found.index(max(found))
    assert best.step == 4 * (number + 1)
    assert best.scores == {"trust": found[number], "looks": number + 1.0}
    np.testing.assert_array_equal(loop.trainer.dev_logits(), weights[number])


def test_another_metric_chooses_another_moment(trained, folder):
    what = dataclasses.replace(judged(ScriptedJudge([0.9, 0.5, 0.1])), metric="looks")

    assert trained(folder, what, evaluate_every=4).best.step == 12


@pytest.mark.parametrize(("patience", "looks"), [(None, 6), (1, 3), (2, 6), (3, 6)])
def test_looks_without_a_better_score_end_the_training(patience, looks, trained, folder):
    judge = ScriptedJudge([0.1, 0.2, 0.2, 0.3, 0.1, 0.3])

    loop = trained(folder, judged(judge), patience=patience)

    assert loop.looks == looks
    assert loop.trainer.steps_done == 2 * looks
    assert loop.best.step == (4 if looks == 3 else 8)


def test_an_end_by_patience_is_one_after_a_resume_too(trained, folder):
    judge = ScriptedJudge([0.3, 0.2, 0.1, 0.4])
    loop = trained(folder, judged(judge), patience=2)
    assert loop.trainer.steps_done == 6

    again = trained(folder, judged(judge), patience=2)

    assert again.trainer.steps_done == 6
    assert again.best == loop.best
    assert judge.looks == 3


@pytest.mark.parametrize("killed_after", [0, 1, 2, 5, 11])
def test_killed_after_any_step_and_resumed_it_is_the_same_run(
    killed_after, trained, straight, folder
):
    with pytest.raises(KilledError):
        trained(folder, left=killed_after)

    loop = trained(folder)

    Ended.of(loop, folder).require(straight())
    assert bool(at(folder, "resume")) == (killed_after >= 2)


def test_killed_when_only_the_model_was_missing_nothing_is_trained(trained, folder):
    loop = trained(folder)

    again = trained(folder, left=0)

    assert again.best == loop.best
    assert again.back_to_best() == loop.back_to_best()
    assert_same(parameters(again.trainer), parameters(loop.trainer))


def stuck(attempts):
    return judged(StuckJudge(None, attempts))


def test_a_training_that_is_stuck_begins_anew_with_another_seed_and_says_so(
    trained, folder, capsys
):
    """Six looks: three are half of them."""
    loop = trained(folder, stuck(2), restarts=2)

    said = capsys.readouterr().err
    assert loop.attempt == 2
    for attempt in (2, 3):
        assert (
            "one answer to everything in 3 looks at dev: beginning anew with another seed, attempt "
            f"{attempt} of 3"
        ) in said
    assert at(folder, "restart") == [6, 6]
    assert at(folder, "dev") == [2, 4, 6, 2, 4, 6, *range(2, 13, 2)]
    assert len({loop.trainer.update.seed, 0}) == 2
    assert (loop.looks, loop.stuck) == (6, False)
    assert all(int(name.removeprefix("step-")) > 0 for name in kept(folder))


def test_attempts_differ_in_weights_order_and_dropout(pretrained):
    first, second, again = (trainer(pretrained.roberta, attempt=n, seed=5) for n in (0, 1, 1))

    assert first.update.seed == first.batches.order.seed == 5
    assert second.update.seed == second.batches.order.seed != 5
    assert not (first.model.out.weight == second.model.out.weight).all()
    assert_same(parameters(second), parameters(again))


def test_with_the_last_attempt_it_goes_to_the_end(trained, folder):
    loop = trained(folder, stuck(9), restarts=1)

    assert (loop.attempt, loop.looks, loop.stuck) == (1, 6, True)
    assert at(folder, "restart") == [6]


def test_without_restarts_it_never_begins_anew(trained, folder):
    loop = trained(folder, stuck(9), restarts=0)

    assert (loop.attempt, loop.stuck) == (0, True)
    assert at(folder, "restart") == []
    assert loop.trainer.steps_done == STEPS


def test_one_look_that_is_not_stuck_is_enough(trained, folder):
    loop = trained(folder, judged(ScriptedJudge([0.1] * 6, stuck_until=2)))

    assert (loop.attempt, loop.looks, loop.stuck) == (0, 6, False)


@pytest.mark.parametrize(("looks", "steps"), [(1, 12), (2, 6), (4, 3), (12, 1)])
def test_stuck_to_the_end_or_for_half_of_the_looks(looks, steps, trained, folder):
    """At least three looks, or all of them, whichever comes first."""
    trained(folder, stuck(1), evaluate_every=steps)

    assert at(folder, "restart") == [steps * min(looks, max(3, looks // 2))]


def test_a_training_that_patience_ends_while_it_is_stuck_begins_anew(trained, folder):
    """Patience is no way to keep a model with one answer to everything."""
    judge = ScriptedJudge([0.1] * 12, stuck_until=2)

    loop = trained(folder, judged(judge), evaluate_every=3, patience=1)

    assert at(folder, "restart") == [6]
    assert (loop.attempt, loop.stuck) == (1, False)


def test_less_than_an_epoch_says_nothing_of_being_stuck(trained, folder):
    """Twelve steps of 8 examples are not all of 200, and more than all of 40."""
    short = trained(folder, judged(StuckJudge(None, 1), 200), evaluate_every=1)
    assert (short.attempt, short.trainer.steps_done) == (0, STEPS)

    loop = trained(folder.with_name("more"), stuck(1), evaluate_every=1)
    assert loop.attempt == 1


@pytest.mark.parametrize("killed_after", [3, 6, 7, 9, 14])
def test_killed_around_a_restart_it_is_the_same_run(killed_after, trained, straight, folder):
    with pytest.raises(KilledError):
        trained(folder, stuck(1), left=killed_after)

    loop = trained(folder, stuck(1))

    assert loop.attempt == 1
    Ended.of(loop, folder).require(straight(attempts=1))


@pytest.mark.parametrize("every", [2, STEPS])
def test_killed_before_a_stuck_attempt_was_forgotten_it_begins_anew_all_the_same(
    every, trained, straight, folder
):
    """Half way, and at the end, where nothing is left to train."""
    with pytest.raises(KilledError):
        trained(folder, stuck(1), evaluate_every=every, before_forgetting=True)

    loop = trained(folder, stuck(1), evaluate_every=every)

    assert at(folder, "restart") == [6 if every == 2 else STEPS]
    Ended.of(loop, folder).require(straight(attempts=1, every=every))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after", [4, 5])
def test_a_signal_saves_after_the_step_and_the_same_command_goes_on(
    after, number, trained, straight, folder, monkeypatch, capsys
):
    """With a look at dev after it, and without."""
    step = Trainer.step

    def signalled(one):
        if one.steps_done == after - 1:
            signal.raise_signal(number)
        step(one)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "step", signalled)
        with pytest.raises(Stopped if number == signal.SIGTERM else KeyboardInterrupt):
            trained(folder)
    if number == signal.SIGTERM:
        said = f"SIGTERM: saved at step {after}; the same command goes on"
        assert said in capsys.readouterr().err
    row = list(Run(folder).metrics())[-1]
    assert (row["kind"], row["step"], row["signal"]) == ("stop", after, signal.Signals(number).name)
    assert Checkpoints(folder / "checkpoints", keep=1, ranks=ALONE).newest().name == f"step-{after}"

    loop = trained(folder)

    assert at(folder, "resume") == [after]
    Ended.of(loop, folder).require(straight())


def test_a_run_of_other_inputs_is_refused(trained, folder):
    with pytest.raises(KilledError):
        trained(folder, left=5)

    with pytest.raises(UserError) as caught:
        trained(folder, data="2")

    assert caught.value.what == (
        f"{folder}: its run was begun on another model or other data than these"
    )
    assert caught.value.hint == "bring them back, or start anew with --force"


def test_other_inputs_are_told_before_weights_that_do_not_fit(trained, folder):
    """Other data may have other labels, and so a head of other sizes."""
    with pytest.raises(KilledError):
        trained(folder, left=5)
    what = task()
    more = dataclasses.replace(what, head=dataclasses.replace(what.head, labels=("a", "b", "c")))

    with pytest.raises(UserError, match="its run was begun on another model or other data"):
        trained(folder, more, data="2")


def poisoned(monkeypatch, bad):
    """Gives the loss of these steps no number."""
    from unmask.finetune.objective import Objective

    forward, seen = Objective.forward, []

    def wrong(objective, batch):
        sums = forward(objective, batch)
        seen.append(batch)
        return sums._replace(loss=sums.loss * (math.nan if len(seen) - 1 in bad else 1.0))

    monkeypatch.setattr(Objective, "forward", wrong)


def test_steps_without_a_finite_loss_are_counted_and_said(trained, folder, monkeypatch, capsys):
    poisoned(monkeypatch, {1, 2, 7})

    trained(folder)

    assert [row["skipped"] for row in Run(folder).metrics() if row["kind"] == "train"] == [
        2,
        0,
        1,
        0,
    ]
    said = capsys.readouterr().err
    assert "step 3: 2 steps left out: no finite loss" in said
    assert "step 9: 1 steps left out: no finite loss" in said


@pytest.mark.parametrize("log_every", [1, 3])
def test_too_many_of_them_in_a_row_end_the_training(log_every, trained, folder, monkeypatch):
    """However often one looks, and over the rows."""
    poisoned(monkeypatch, set(range(2, 7)))

    with pytest.raises(UserError) as caught:
        trained(folder, log_every=log_every)

    step = 7 if log_every == 1 else 9
    assert caught.value.what == f"step {step}: 5 steps in a row had no finite loss"
    assert caught.value.hint == "lower --optim.peak-lr, or set --optim.clip-norm 1"


def test_a_best_checkpoint_that_is_gone_is_told(trained, folder):
    loop = trained(folder, judged(ScriptedJudge([0.5, 0.1, 0.1])), evaluate_every=4)
    (folder / "checkpoints" / "step-4" / "manifest.json").unlink()

    with pytest.raises(UserError) as caught:
        loop.back_to_best()

    assert caught.value.what == (
        f"{folder / 'checkpoints'}: the best checkpoint is damaged or gone"
    )
    assert caught.value.hint == "start anew with --force"
