"""What one process can show; several are in tests/e2e/test_ranks.py."""

import pytest
import torch
from torch import nn

from unmask.core.errors import UserError
from unmask.train import parallel
from unmask.train.config import ParallelConfig
from unmask.train.ranks import Ranks

ALONE = Ranks(torch.device("cpu"))


def test_one_process_shares_with_nobody():
    module = nn.Linear(2, 2)

    assert parallel.shared(module, [], ALONE, ParallelConfig()) is module
    assert parallel.factor(ALONE) == 1.0


@pytest.mark.parametrize("shard", ["zero1", "zero2", "zero3"])
def test_sharding_among_one_process_is_refused(shard):
    with pytest.raises(UserError) as caught:
        parallel.shared(nn.Linear(2, 2), [], ALONE, ParallelConfig(shard=shard))

    said = f"--parallel.shard {shard}: there is one process, with nobody to share"
    assert caught.value.what == said
    assert "torchrun --nproc-per-node 2 -m unmask" in caught.value.hint


def test_the_norm_is_that_of_all_gradients_together():
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    module(torch.randn(5, 3)).sum().backward()
    module[1].bias.grad = None  # a parameter that had none

    norm = parallel.gradient_norm(module)

    together = torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])
    torch.testing.assert_close(norm, together.norm())


def test_all_parameters_are_given_by_name_without_their_way_back():
    module = nn.Linear(3, 2)

    found = parallel.whole(module)

    assert list(found) == ["weight", "bias"]
    assert torch.equal(found["weight"], module.weight)
    assert not found["weight"].requires_grad


def test_nothing_is_held_back_where_nothing_is_shared():
    module = nn.Linear(2, 2)
    with parallel.accumulating(module, ParallelConfig(), last=False):
        module(torch.ones(1, 2)).sum().backward()

    assert module.weight.grad is not None


def test_a_timeout_of_no_time_is_refused():
    with pytest.raises(UserError) as caught:
        ParallelConfig(timeout_minutes=0)

    assert caught.value.what == "--parallel.timeout-minutes 0: must be positive"
    assert caught.value.hint == "try 30"
