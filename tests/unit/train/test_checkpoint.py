import pytest
import torch
from torch import nn

from unmask.core.errors import UserError
from unmask.train import checkpoint
from unmask.train.config import OptimConfig
from unmask.train.optimizer import adamw


def trained(steps):
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = adamw(model, OptimConfig(peak_lr=0.1))
    train(model, optimizer, range(steps))
    return model, optimizer


def train(model, optimizer, steps):
    for step in steps:
        torch.manual_seed(step)
        optimizer.zero_grad()
        model(torch.randn(4, 3)).square().mean().backward()
        optimizer.step()


def test_a_restored_run_goes_on_to_the_bit(tmp_path):
    model, optimizer = trained(3)
    checkpoint.save(tmp_path, 3, model, optimizer, {"inputs": ["a"]}, keep=2)
    other = nn.Linear(3, 2)
    other_optimizer = adamw(other, OptimConfig(peak_lr=0.1))

    checkpoint.restore(tmp_path / "step-3", other, other_optimizer)
    for pair in ((model, optimizer), (other, other_optimizer)):
        train(*pair, range(3, 6))

    assert torch.equal(model.weight, other.weight)
    assert checkpoint.read_state(tmp_path / "step-3") == {"inputs": ["a"], "step": 3}


def test_only_the_newest_are_kept(tmp_path):
    model, optimizer = trained(1)

    for step in (2, 10, 9):
        checkpoint.save(tmp_path, step, model, optimizer, {}, keep=2)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-10", "step-9"]


@pytest.mark.parametrize("harm", ["truncate", "flip", "manifest", "vanish"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path, harm, capsys):
    model, optimizer = trained(1)
    for step in (1, 2):
        checkpoint.save(tmp_path, step, model, optimizer, {}, keep=2)
    victim = tmp_path / "step-2" / ("manifest.json" if harm == "manifest" else "model.safetensors")

    match harm:
        case "truncate":
            victim.write_bytes(victim.read_bytes()[:-1])
        case "flip":
            content = bytearray(victim.read_bytes())
            content[-1] ^= 1
            victim.write_bytes(content)
        case _:
            victim.unlink()

    assert checkpoint.latest(tmp_path) == tmp_path / "step-1"
    assert "step-2: damaged" in capsys.readouterr().err


def test_a_half_written_checkpoint_is_never_seen(tmp_path, monkeypatch):
    model, optimizer = trained(1)
    checkpoint.save(tmp_path, 1, model, optimizer, {}, keep=2)

    def full(tensors):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "dump_tensors", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path, 2, model, optimizer, {}, keep=1)

    assert [path.name for path in tmp_path.iterdir()] == ["step-1"]
    assert checkpoint.latest(tmp_path) == tmp_path / "step-1"


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    checkpoint.save(tmp_path, 1, *trained(1), {}, keep=1)
    other = nn.Sequential(nn.Linear(3, 2))

    with pytest.raises(UserError, match="does not fit this model"):
        checkpoint.restore(tmp_path / "step-1", other, adamw(other, OptimConfig()))
