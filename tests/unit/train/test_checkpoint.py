import json
import math
import resource
import threading
import warnings
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.train.checkpoint import Checkpoints, read_state
from unmask.train.config import OptimConfig
from unmask.train.optimizer import adamw
from unmask.train.ranks import Ranks

ALONE = Ranks(torch.device("cpu"))


class Model(nn.Module):
    """A matrix, a vector, a number, another type, and one that is never used."""

    def __init__(self, width=2):
        super().__init__()
        self.linear = nn.Linear(3, width)
        self.scale = nn.Parameter(torch.rand(()))
        self.coarse = nn.Parameter(torch.rand(3, dtype=torch.bfloat16))
        self.idle = nn.Parameter(torch.rand(2))

    def forward(self, x):
        return self.linear(x * self.coarse.float()) * self.scale


def pair(seed=0, **shape):
    torch.manual_seed(seed)
    model = Model(**shape)
    return model, adamw(model, OptimConfig(peak_lr=0.1))


def train(model, optimizer, steps):
    for step in steps:
        torch.manual_seed(step)
        optimizer.zero_grad()
        model(torch.randn(4, 3)).square().mean().backward()
        optimizer.step()


def trained(steps):
    model, optimizer = pair()
    train(model, optimizer, range(steps))
    return model, optimizer


def content(model, optimizer):
    """Every tensor, copied."""
    found = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        found |= {f"{number} {key}": tensor.clone() for key, tensor in moments.items()}
    return found


def same(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


def checkpoints(folder, keep=2):
    return Checkpoints(folder, keep=keep, ranks=ALONE)


def saved(folder, *steps, keep=9, **more):
    store = checkpoints(folder, keep)
    for step in steps:
        store.save(step, *trained(1), {}, **more)
    store.wait()
    return store


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def files_no_larger_than(limit_bytes):
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def test_a_restored_run_goes_on_to_the_bit(tmp_path):
    before = trained(3)
    store = checkpoints(tmp_path)
    store.save(3, *before, {"guard": {"mean": 0.1}})

    after = pair(seed=1)
    path = store.newest()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state = store.restore(path, *after)
    assert same(content(*before), content(*after))
    for run in (before, after):
        train(*run, range(3, 6))

    assert same(content(*before), content(*after))
    assert state == {"guard": {"mean": 0.1}, "step": 3}
    assert read_state(tmp_path / "step-3") == state


def test_a_run_that_has_trained_on_can_go_back(tmp_path):
    run = trained(3)
    then = content(*run)
    store = checkpoints(tmp_path)
    store.save(3, *run, {})
    train(*run, range(3, 5))  # its last gradients are still there

    store.restore(tmp_path / "step-3", *run)

    assert same(content(*run), then)
    assert all(parameter.grad is None for parameter in run[0].parameters())


def test_a_run_that_has_not_begun_is_restored_without_moments(tmp_path):
    store = checkpoints(tmp_path)
    before = pair()
    store.save(0, *before, {})
    store.wait()
    assert not before[1].state

    after = trained(2)
    store.restore(tmp_path / "step-0", *after)

    assert same(content(*before), content(*after))


def test_what_is_saved_is_what_there_was_at_the_call(tmp_path, monkeypatch):
    go_on = threading.Event()
    write = manifests.write

    def write_later(*words, **more):
        assert go_on.wait(20)
        return write(*words, **more)

    monkeypatch.setattr(manifests, "write", write_later)
    run, state = trained(3), {"seen": [1]}
    then = content(*run)
    store = checkpoints(tmp_path)

    store.save(3, *run, state)
    train(*run, range(3, 6))
    state["seen"].append(2)
    assert names(tmp_path) == [".step-3.building"]
    go_on.set()
    store.wait()

    after = pair(seed=1)
    assert store.restore(tmp_path / "step-3", *after) == {"seen": [1], "step": 3}
    assert same(content(*after), then)


def test_names_in_the_files_are_those_of_the_bare_model(tmp_path):
    model, optimizer = trained(1)
    store = checkpoints(tmp_path)

    store.save(1, torch.compile(model, backend="eager"), optimizer, {})

    after = pair(seed=1)
    store.restore(store.newest(), *after)
    assert same(content(model, optimizer), content(*after))


def test_the_newest_are_kept_and_the_best_beside_them(tmp_path):
    store = checkpoints(tmp_path, keep=2)

    for step, loss in ((1, 3.0), (2, 1.0), (9, 2.0), (10, math.nan), (11, None)):
        store.save(step, *trained(1), {}, loss=loss)

    assert store.best() == tmp_path / "step-2"
    assert names(tmp_path) == ["step-10", "step-11", "step-2"]
    assert store.newest() == tmp_path / "step-11"
    assert store.newest(before=11) == tmp_path / "step-10"
    assert manifests.read(tmp_path / "step-2").facts == {"step": 2, "loss": 1.0}
    assert manifests.read(tmp_path / "step-10").facts == {"step": 10, "loss": None}


def test_without_a_loss_none_is_the_best(tmp_path):
    store = saved(tmp_path, 1)

    assert store.best() is None


def test_without_a_checkpoint_none_is_the_newest(tmp_path):
    store = checkpoints(tmp_path / "none yet")

    assert store.newest() is None
    assert store.best() is None


def test_a_checkpoint_that_is_there_is_not_written_again(tmp_path):
    store = saved(tmp_path, 1)
    made = (tmp_path / "step-1" / "manifest.json").stat().st_mtime_ns

    store.save(1, *trained(1), {})
    store.wait()

    assert (tmp_path / "step-1" / "manifest.json").stat().st_mtime_ns == made


@pytest.mark.parametrize("why", ["damaged", "other state", "other loss"])
def test_a_checkpoint_of_the_same_step_is_replaced_if_it_is_not_the_same(tmp_path, why):
    store = saved(tmp_path, 1, keep=1)
    if why == "damaged":
        (tmp_path / "step-1" / "state.json").unlink()
    state = {"data": 7} if why == "other state" else {}

    store.save(1, *trained(1), state, loss=2.0 if why == "other loss" else None)

    assert store.newest() == tmp_path / "step-1"
    assert read_state(tmp_path / "step-1") == state | {"step": 1}


def test_a_run_that_has_turned_back_leaves_the_course_it_was_on(tmp_path):
    store = saved(tmp_path, 10, 20, 30)
    assert store.newest(before=20) == tmp_path / "step-10"

    store.save(15, *trained(2), {})

    assert store.newest() == tmp_path / "step-15"
    assert names(tmp_path) == ["step-10", "step-15"]


def harmed(path, harm):
    victim = next(path.glob("*.safetensors"))
    match harm:
        case "truncated":
            victim.write_bytes(victim.read_bytes()[:-1])
        case "flipped":
            bytes_ = bytearray(victim.read_bytes())
            bytes_[-1] ^= 1
            victim.write_bytes(bytes_)
        case "gone":
            victim.unlink()
        case "no state":
            (path / "state.json").unlink()
        case "no manifest":
            (path / "manifest.json").unlink()
        case "half a manifest":
            text = (path / "manifest.json").read_text()
            (path / "manifest.json").write_text(text[: len(text) // 2])
        case "empty":
            for file in path.iterdir():
                file.unlink()


HARMS = ["truncated", "flipped", "gone", "no state", "no manifest", "half a manifest", "empty"]


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_checkpoint_is_said_and_passed_over(tmp_path, harm, capsys):
    store = saved(tmp_path, 1, 2)
    harmed(tmp_path / "step-2", harm)

    assert store.newest() == tmp_path / "step-1"
    said = capsys.readouterr().err
    assert "step-2: damaged (" in said
    assert said.endswith("), so the checkpoint before it is used\n")


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_best_is_not_the_best(tmp_path, harm):
    store = saved(tmp_path, 1, 2, loss=1.0)
    store.save(3, *trained(1), {}, loss=0.5)
    store.wait()
    harmed(tmp_path / "step-3", harm)

    assert store.best() == tmp_path / "step-2"


@pytest.mark.parametrize("harm", HARMS)
def test_what_a_killed_run_left_half_written_is_cleared_away(tmp_path, harm):
    saved(tmp_path, 1, 2)
    harmed(tmp_path / "step-2", harm)
    (tmp_path / "step-2").rename(tmp_path / ".step-2.building")
    (tmp_path / ".step-1.removed").mkdir()

    store = checkpoints(tmp_path)

    assert names(tmp_path) == ["step-1"]
    assert store.newest() == tmp_path / "step-1"


def test_what_a_killed_run_had_finished_is_put_in_its_place(tmp_path):
    saved(tmp_path, 1, 2)
    (tmp_path / "step-2").rename(tmp_path / ".step-2.building")

    store = checkpoints(tmp_path)

    assert names(tmp_path) == ["step-1", "step-2"]
    assert store.newest() == tmp_path / "step-2"


def test_what_a_killed_run_had_finished_replaces_what_it_had_turned_back_from(tmp_path):
    saved(tmp_path, 1, 2, 3)
    store = saved(tmp_path / "other")
    store.save(2, *trained(1), {"course": "new"})
    store.wait()
    (tmp_path / "other" / "step-2").rename(tmp_path / ".step-2.building")
    (tmp_path / "other").rmdir()

    store = checkpoints(tmp_path)

    assert names(tmp_path) == ["step-1", "step-2"]
    assert read_state(store.newest()) == {"course": "new", "step": 2}


@pytest.mark.parametrize("limit_bytes", [0, 1000, 10_000])
def test_a_full_disk_leaves_the_old_ones_and_is_raised(tmp_path, limit_bytes):
    store = saved(tmp_path, 1, keep=1)
    state = {"long": "x" * 20_000}  # fails after the tensors, if they are small enough

    with files_no_larger_than(limit_bytes):
        store.save(2, *trained(1), state)
        with pytest.raises(OSError, match="step-2") as caught:
            store.wait()

    assert caught.value.errno in files.NO_SPACE
    assert caught.value.filename == str(tmp_path / ".step-2.building")
    assert names(tmp_path) == ["step-1"]
    assert store.newest() == tmp_path / "step-1"


def test_the_error_of_a_save_is_raised_by_the_next_one(tmp_path):
    store = checkpoints(tmp_path)
    with files_no_larger_than(0):
        store.save(1, *trained(1), {})
        with pytest.raises(OSError, match="step-1"):
            store.save(2, *trained(1), {})

    store.save(2, *trained(1), {})
    assert store.newest() == tmp_path / "step-2"


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (nn.Sequential(nn.Linear(3, 2)), r"\(model\.0\.bias: missing in the checkpoint, \(2,\) in"),
        (Model(width=5), r"\(model\.linear\.bias: \(2,\) in the checkpoint, \(5,\) in the model\)"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(tmp_path, other, what):
    store = saved(tmp_path, 1)

    with pytest.raises(UserError, match="step-1: does not fit this model " + what) as caught:
        store.restore(tmp_path / "step-1", other, adamw(other, OptimConfig()))

    assert caught.value.hint == "use another --out"


@pytest.mark.parametrize("kind", ["fewer", "more"])
def test_a_checkpoint_of_another_optimizer_is_refused(tmp_path, kind):
    store = saved(tmp_path, 1)
    model, _ = pair()
    other = {
        "fewer": torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        "more": torch.optim.AdamW(model.parameters(), lr=0.1, amsgrad=True),
    }[kind]

    with pytest.raises(UserError, match=r"does not fit this model \(optimizer\.state\."):
        store.restore(tmp_path / "step-1", model, other)


def test_a_checkpoint_can_be_read_without_torch_distributed(tmp_path):
    from safetensors import safe_open

    model, optimizer = trained(1)
    store = checkpoints(tmp_path)
    store.save(1, model, optimizer, {})
    store.wait()

    (path,) = (tmp_path / "step-1").glob("*.safetensors")
    with safe_open(path, "pt") as file:
        assert torch.equal(file.get_tensor("model.linear.weight"), model.linear.weight)
        moment = file.get_tensor("optimizer.state.linear.weight.exp_avg")
        assert torch.equal(moment, optimizer.state[model.linear.weight]["exp_avg"])
        assert json.loads(file.metadata()["DCP_SHARDING_INFO"])["model.linear.weight"]
