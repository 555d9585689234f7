"""The proof that a user runs on his own machine, and that it fails where it must."""

import pytest
import torch

from unmask.core.errors import UserError
from unmask.pretrain import verify as module
from unmask.pretrain.verify import verify
from unmask.train.ranks import Ranks

from .conftest import CPU, FakePlan, lengths, trainer

ALONE = Ranks(CPU)
PLAN = FakePlan(lengths(40, most=12), length=12)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 3)


def made(**flags):
    return trainer(PLAN, dropout=0.1, batch=4, micro_batch=2, **flags)


def test_a_run_that_starts_anew_goes_on_to_the_bit(tmp_path, capsys):
    verify(made, tmp_path / "run", ALONE)

    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("resuming is exact here: 3 losses and ")
    assert said.endswith("tensors of weights are the same to the bit")
    assert not (tmp_path / "run").exists()


def test_it_takes_two_trainers_and_twenty_steps(monkeypatch, tmp_path):
    monkeypatch.undo()
    assert module.STEPS == 20
    monkeypatch.setattr(module, "STEPS", 2)
    trainers = []

    verify(lambda: trainers.append(made()) or trainers[-1], tmp_path, ALONE)

    assert [one.steps_done for one in trainers] == [4, 4]
    assert trainers[0] is not trainers[1]


def test_a_run_with_a_deadline_moves_its_weights_too(tmp_path):
    """Else nothing would be proved."""
    trainers = []

    def with_deadline():
        trainers.append(made(budget_hours=1.0, warmup_steps=None))
        return trainers[-1]

    before = torch.nn.utils.parameters_to_vector(made().model.parameters()).detach()
    verify(with_deadline, tmp_path, ALONE)

    after = torch.nn.utils.parameters_to_vector(trainers[0].model.parameters()).detach()
    assert (after - before).abs().max() > 1e-6
    assert trainers[0].lr(5) > trainers[0].lr(1) > 0


class Drifting:
    """Adds a number that no checkpoint holds to one of the sums."""

    def __init__(self, name):
        self.name, self.calls = name, 0

    def __call__(self, one):
        forward = one.objective.forward

        def drifting(batch):
            self.calls += 1
            sums = forward(batch)
            drifted = getattr(sums, self.name) + self.calls * 1e-3
            return sums._replace(**{self.name: drifted})

        one.objective.forward = drifting
        return one


@pytest.mark.parametrize("name", ["loss", "right"])
def test_a_number_that_differs_is_said_with_its_step(name, tmp_path):
    """Hits decide no weight, and are compared all the same."""
    drifting = Drifting(name)

    with pytest.raises(UserError) as caught:
        verify(lambda: drifting(made()), tmp_path / "run", ALONE)

    assert caught.value.what == "resuming is not exact here: step 4 differs"
    assert "try --device cpu, or --compile off" in caught.value.hint
    assert not (tmp_path / "run").exists()


def test_a_weight_that_differs_by_a_bit_is_said_by_name(tmp_path):
    trainers = []

    def one_that_is_off():
        """The last update of the second one goes astray, when all losses are known."""
        one = made()
        trainers.append(one)
        if len(trainers) == 2:
            step = one.optimizer.step

            def astray(closure=None):
                step(closure)
                if one.steps_done == 5:
                    bias = one.model.bias
                    with torch.no_grad():
                        bias[7] = torch.nextafter(bias[7], torch.tensor(9.0))

            one.optimizer.step = astray
        return one

    with pytest.raises(UserError) as caught:
        verify(one_that_is_off, tmp_path, ALONE)

    assert caught.value.what == "resuming is not exact here: bias differs"


def test_what_the_run_folder_holds_is_left_alone(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("{}\n")

    verify(made, tmp_path, ALONE)

    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
