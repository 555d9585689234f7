"""What happens around the steps: rows, checkpoints, going back, being killed and resumed."""

import json
import math
import signal
from types import SimpleNamespace

import pytest

from unmask.core.errors import UserError
from unmask.core.runs import Run
from unmask.pretrain.config import ScoresConfig
from unmask.pretrain.loop import Loop
from unmask.pretrain.scoring.scores import Scores
from unmask.train.checkpoint import Checkpoints
from unmask.train.config import GuardConfig
from unmask.train.ranks import Ranks

from .conftest import CPU, FakePlan, assert_same, lengths, parameters, trainer

ALONE = Ranks(CPU)
TROUBLE = {"bad": (6, 7, 8), "guard": GuardConfig(patience=3), "steps": 18}
PLAN, VALID = FakePlan(lengths(60, most=12), length=12), FakePlan(lengths(9, most=12), length=12)
STEPS = 12
FREE = ("time", "tokens_per_s", "memory_bytes", "mfu", "seconds")
"""What the course of a run does not decide."""


class KilledError(Exception):
    """Stands for SIGKILL: nothing after it is done."""


def loop_of(folder, *, inputs=("tokens 1",), killed_after=math.inf, bad=(), guard=None, **flags):
    """A run of a tiny model; `bad` are the steps' worth of data whose loss is no number."""
    flags = {
        "steps": STEPS,
        "log_every": 2,
        "evaluate_every": 6,
        "checkpoint_every": 3,
        "batch": 4,
        "micro_batch": 2,
        "valid_blocks": 4,
    } | flags
    one = trainer(PLAN, dropout=0.1, valid=VALID, guard=guard or GuardConfig(), **flags)
    forward = one.objective.forward

    def poisoned(batch):
        sums = forward(batch)
        wrong = one.objective.training and one.consumed // one.train.blocks in bad
        return sums._replace(loss=sums.loss * math.nan) if wrong else sums

    one.objective.forward = poisoned
    scored = Scores(ScoresConfig(), folder / "scores", ALONE, publish=lambda folder: None)
    return Loop(
        trainer=one,
        checkpoints=Checkpoints(
            folder / "checkpoints", keep=one.config.keep_checkpoints, ranks=ALONE
        ),
        run=Run(folder),
        tracker=None,
        inputs=list(inputs),
        speed=SimpleNamespace(row=lambda row, seconds: {"seconds": seconds}),
        scored=Killing(scored, killed_after),
    )


class Killing:
    """Ends the run without a word after some of its steps."""

    def __init__(self, scored, after):
        self.scored, self.left = scored, after
        self.queue = scored.queue

    def begin(self, step, total):
        self.left -= 1
        if self.left <= 0:
            raise KilledError
        return self.scored.begin(step, total)

    def __getattr__(self, name):
        return getattr(self.scored, name)


def train(loop):
    """Run to the end, as `unmask pretrain` does."""
    try:
        loop.resume()
        return loop.train()
    finally:
        loop.close()


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run that nothing happened to, and its folder."""
    folder = tmp_path_factory.mktemp("straight")
    loop = loop_of(folder)
    train(loop)
    return loop, folder


@pytest.fixture(scope="module")
def turned_back(tmp_path_factory):
    """A run that had to go back, and its folder."""
    folder = tmp_path_factory.mktemp("turned-back")
    loop = loop_of(folder, **TROUBLE)
    train(loop)
    return loop, folder


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "run"
    made.mkdir()
    return made


def rows(folder, *kinds):
    """Rows by kind and step, a later one in the place of an earlier one."""
    found = {}
    for row in Run(folder).metrics():
        if row["kind"] in (kinds or ("train", "valid", "activations")):
            kept = {name: value for name, value in row.items() if name not in FREE}
            found[row["kind"], row["step"]] = json.dumps(kept)
    return found


def steps(folder, kind):
    return [row["step"] for row in Run(folder).metrics() if row["kind"] == kind]


def test_rows_and_checkpoints_come_when_they_are_due(folder):
    loop = loop_of(folder)

    assert train(loop) is True

    assert steps(folder, "train") == [2, 4, 6, 8, 10, 12]
    assert steps(folder, "valid") == steps(folder, "activations") == [0, 6, 12]
    kept = {path.name for path in (folder / "checkpoints").iterdir()}
    assert kept == {"step-12", "step-9", loop.checkpoints.best().name}
    assert steps(folder, "resume") == steps(folder, "rollback") == steps(folder, "stop") == []
    row = next(row for row in Run(folder).metrics() if row["kind"] == "train")
    assert row["skipped"] == 0
    assert row["seconds"].keys() == {"data", "forward", "backward", "optimizer", "communication"}
    assert row["time"] > 1e9


@pytest.mark.parametrize("killed_after", [1, 2, 3, 4, 6, 11, STEPS])
def test_killed_after_any_step_and_resumed_it_is_the_same_run(killed_after, folder, straight):
    whole, its_folder = straight
    with pytest.raises(KilledError):
        train(loop_of(folder, killed_after=killed_after))
    resumed = loop_of(folder)
    train(resumed)

    assert_same(parameters(resumed.trainer), parameters(whole.trainer))
    assert rows(folder) == rows(its_folder)
    assert resumed.lowest == whole.lowest
    assert bool(steps(folder, "resume")) == (killed_after >= 3)


def test_killed_when_only_the_model_was_missing_the_scores_are_measured_again(folder):
    first = loop_of(folder)
    train(first)

    again = loop_of(folder)
    assert train(again) is True

    assert again.scores == first.scores
    assert again.trainer.steps_done == STEPS


def test_steps_that_go_wrong_are_counted_in_the_row_and_said(folder, capsys):
    train(loop_of(folder, bad=(2, 7)))

    skipped = [row["skipped"] for row in Run(folder).metrics() if row["kind"] == "train"]
    assert skipped == [0, 1, 0, 1, 0, 0]
    assert "step 4: 1 steps left out, as they went wrong" in capsys.readouterr().err
    assert all(math.isfinite(json.loads(row)["loss"]) for row in rows(folder, "train").values())


def test_too_many_in_a_row_go_back_to_good_weights_and_on_with_the_next_data(
    folder, tmp_path, capsys
):
    """Step 6 was saved before the trouble; the run takes its weights and the data after 10."""
    loop = loop_of(folder, **TROUBLE)
    train(loop)

    row = next(row for row in Run(folder).metrics() if row["kind"] == "rollback")
    assert (row["step"], row["to"]) == (10, 6)
    assert (
        "step 10: 3 steps in a row were left out, so the run goes back to step 6 and on with the "
        "data that comes next"
    ) in capsys.readouterr().err
    assert loop.trainer.consumed == (18 + 4) * 4

    other = loop_of(tmp_path / "other", steps=18)
    (tmp_path / "other").mkdir()
    for _ in range(6):
        other.trainer.step()
    other.trainer.consumed += 4 * 4
    for _ in range(12):
        other.trainer.step()
    assert_same(parameters(loop.trainer), parameters(other.trainer))


def test_a_checkpoint_that_was_written_in_the_trouble_is_no_good_one(folder):
    """Steps 8 to 11 go wrong; step 9 was saved meanwhile, and step 6 before."""
    loop = loop_of(folder, bad=(7, 8, 9, 10), guard=GuardConfig(patience=4), log_every=12)
    train(loop)

    row = next(row for row in Run(folder).metrics() if row["kind"] == "rollback")
    assert (row["step"], row["to"]) == (12, 6)


@pytest.mark.parametrize("killed_after", [6, 8, 9, 10, 11, 14])
def test_killed_and_resumed_around_going_back_it_is_the_same_run(killed_after, folder, turned_back):
    """The tenth step that is made ends at the sixth, where the run is again."""
    whole, its_folder = turned_back
    with pytest.raises(KilledError):
        train(loop_of(folder, killed_after=killed_after, **TROUBLE))
    resumed = loop_of(folder, **TROUBLE)
    train(resumed)

    assert_same(parameters(resumed.trainer), parameters(whole.trainer))
    assert rows(folder) == rows(its_folder)
    assert resumed.trainer.consumed == whole.trainer.consumed


def test_going_back_without_getting_past_the_place_ends_the_run(folder):
    loop = loop_of(folder, bad=range(6, 1000), guard=GuardConfig(patience=3, rollbacks=2))

    with pytest.raises(UserError) as caught:
        train(loop)

    assert caught.value.what == (
        "step 10: 4 steps in a row had no finite loss, or one far above the mean, and going back "
        "2 times did not help"
    )
    assert "--optim.peak-lr" in caught.value.hint
    assert steps(folder, "rollback") == [10, 10]
    assert (folder / "checkpoints" / "step-6").exists()


def test_going_back_at_other_places_does_not_add_up(folder):
    """Three troubles far from each other, and one way back allowed at each."""
    bad = (*range(6, 9), *range(16, 19), *range(30, 33))
    loop = loop_of(folder, bad=bad, guard=GuardConfig(patience=3, rollbacks=1), steps=36)

    assert train(loop) is True

    assert len(steps(folder, "rollback")) == 3


def test_how_often_it_went_back_survives_a_kill(folder):
    """Killed one step after it went back, which was saved at once."""
    guard = GuardConfig(patience=3, rollbacks=3)
    with pytest.raises(KilledError):
        train(loop_of(folder, bad=range(6, 1000), guard=guard, killed_after=11))
    assert steps(folder, "rollback") == [10]

    with pytest.raises(UserError, match="going back 3 times did not help"):
        train(loop_of(folder, bad=range(6, 1000), guard=guard))

    assert steps(folder, "resume") == [6]
    assert steps(folder, "rollback") == [10, 10, 10]


def test_without_a_checkpoint_there_is_nothing_to_go_back_to(folder):
    loop = loop_of(folder, bad=range(1000), guard=GuardConfig(patience=2), checkpoint_every=50)

    with pytest.raises(UserError) as caught:
        train(loop)

    assert "there is no checkpoint to go back to" in caught.value.what


def test_a_run_of_other_tokens_is_refused(folder):
    train(loop_of(folder, steps=3))

    with pytest.raises(UserError) as caught:
        train(loop_of(folder, steps=3, inputs=("tokens 2",)))

    assert caught.value.what == f"{folder}: its run was begun on other tokens than these"
    assert "--force" in caught.value.hint


class Signalled(Killing):
    """Sends this process a signal in the middle of a step, as a scheduler does."""

    def __init__(self, loop, number, at):
        step = loop.trainer.objective.forward

        def forward(batch):
            if loop.trainer.steps_done == at and loop.trainer.objective.training and not self.sent:
                self.sent = True
                signal.raise_signal(number)
            return step(batch)

        self.sent = False
        loop.trainer.objective.forward = forward


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")]
)
def test_a_signal_saves_after_the_step_and_the_same_command_goes_on(
    number, name, folder, straight, capsys
):
    whole, its_folder = straight
    stopped = loop_of(folder)
    Signalled(stopped, number, at=4)
    log, whole_by_then = stopped.run.log, []

    def noted(row):
        if row["kind"] == "stop":
            place = folder / "checkpoints" / f"step-{row['step']}" / "manifest.json"
            whole_by_then.append(place.exists())
        log(row)

    stopped.run.log = noted
    if number == signal.SIGINT:
        with pytest.raises(KeyboardInterrupt):
            train(stopped)
    else:
        assert train(stopped) is False
        said = "SIGTERM: saved at step 5; the same command goes on"
        assert said in capsys.readouterr().err
    assert whole_by_then == [True]
    newest = Checkpoints(folder / "checkpoints", keep=2, ranks=ALONE).newest()
    row = list(Run(folder).metrics())[-1]
    assert newest.name == "step-5"
    assert (row["kind"], row["step"], row["signal"]) == ("stop", 5, name)

    resumed = loop_of(folder)
    assert train(resumed) is True
    assert_same(parameters(resumed.trainer), parameters(whole.trainer))
    assert rows(folder) == rows(its_folder)


def test_a_better_held_out_loss_saves_and_says_which_it_is(folder):
    """Measured after every step, and saved when it was never better, or at the end."""
    loop = loop_of(
        folder,
        steps=30,
        checkpoint_every=1000,
        evaluate_every=1,
        keep_checkpoints=100,
        peak_lr=1e-3,
    )
    train(loop)

    losses = {row["step"]: row["loss"] for row in Run(folder).metrics() if row["kind"] == "valid"}
    better = [
        step for step in losses if losses[step] < min([math.inf, *list(losses.values())[:step]])
    ]
    kept = {int(path.name.removeprefix("step-")) for path in loop.checkpoints._newest_first()}
    assert len(better) > 5
    assert kept == {*better, 30} - {0}
    assert loop.lowest == min(losses.values())
    assert loop.checkpoints.best().name == f"step-{better[-1]}"
