"""One process alone; several are in tests/e2e/test_ranks.py."""

import pytest
import torch

from unmask.core.errors import UserError
from unmask.train import ranks as module
from unmask.train.ranks import Ranks, joined

CPU = torch.device("cpu")


def test_one_process_is_the_first_and_hears_itself_alone():
    alone = Ranks(CPU)
    numbers = torch.tensor([1.0, 2.0])

    assert alone.first
    assert alone.sum(numbers) is numbers
    assert numbers.tolist() == [1.0, 2.0]
    assert alone.any(0) == 0
    assert alone.any(15) == 15
    assert alone.told({"a": 1}) == {"a": 1}
    alone.wait()


def test_only_the_process_of_number_zero_is_the_first():
    assert [Ranks(CPU, rank, 3).first for rank in range(3)] == [True, False, False]


@pytest.mark.parametrize("size", [None, "1"])
def test_without_torchrun_and_with_one_process_of_it_nothing_is_joined(size, monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if size is not None:
        monkeypatch.setenv("WORLD_SIZE", size)

    with joined(CPU, 1.0) as ranks:
        assert (ranks.device, ranks.rank, ranks.size) == (CPU, 0, 1)
        assert not torch.distributed.is_initialized()


def test_a_process_without_a_card_of_its_own_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr(module.torch.cuda, "device_count", lambda: 2)

    with pytest.raises(UserError) as caught, joined(torch.device("cuda"), 1.0):
        pass

    assert caught.value.what == "process 2 of this machine has no card of its own: there are 2"
    assert caught.value.hint == "torchrun --nproc-per-node 2, or --device cpu"


def test_each_process_takes_the_card_of_its_place_on_the_machine(monkeypatch):
    taken = []
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(module.torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(module.torch.cuda, "set_device", taken.append)

    assert module._own(torch.device("cuda")) == torch.device("cuda", 3)
    assert taken == [3]
    assert module._own(CPU) == CPU
