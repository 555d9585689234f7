"""How processes share a module: DDP, or ZeRO by FSDP2.

| shard | each process holds a part of        | how                                            |
|-------|-------------------------------------|------------------------------------------------|
| none  | nothing                             | DDP: gradients are summed during the last       |
|       |                                     | micro-batch of a step                          |
| zero1 | moments                             | FSDP2: gradients are summed and parted during  |
|       |                                     | the last micro-batch                           |
| zero2 | moments, gradients                  | FSDP2: they are so in every micro-batch        |
| zero3 | moments, gradients, weights         | FSDP2: weights are gathered block by block     |

(Rajbhandari et al. 2020, section 5, for the three stages.)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from unmask.core.errors import UserError
from unmask.train.config import ParallelConfig
from unmask.train.ranks import Ranks


def shared(
    module: nn.Module, blocks: Sequence[nn.Module], ranks: Ranks, config: ParallelConfig
) -> nn.Module:
    """Wrap a module whose `forward` gives the loss; `blocks` are gathered one by one in zero3.

    UserError if there is nobody to share with.
    """
    if ranks.size == 1:
        if config.shard != "none":
            raise UserError(
                f"--parallel.shard {config.shard}: there is one process, with nobody to share",
                "start it by torchrun --nproc-per-node 2 -m unmask ..., or leave it out",
            )
        return module
    if config.shard == "none":
        return DistributedDataParallel(module, gradient_as_bucket_view=True)
    mesh = init_device_mesh(ranks.device.type, (ranks.size,))
    for part in (*blocks, module):
        fully_shard(part, mesh=mesh, reshard_after_forward=config.shard == "zero3")
    return module


@contextmanager
def accumulating(module: nn.Module, config: ParallelConfig, *, last: bool) -> Iterator[None]:
    """Hold back what need not be summed before the last micro-batch of a step."""
    if isinstance(module, DistributedDataParallel) and not last:
        with module.no_sync():
            yield
        return
    if isinstance(module, FSDPModule) and config.shard == "zero1":
        module.set_requires_gradient_sync(last)
    yield


def gradient_norm(module: nn.Module) -> Tensor:
    """The norm of all gradients together, wherever their parts are."""
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


def factor(ranks: Ranks) -> float:
    """What a loss is multiplied by, as DDP and FSDP2 give the mean of gradients, not the sum."""
    return float(ranks.size)


def whole(model: nn.Module) -> dict[str, torch.Tensor]:
    """All parameters by name in one piece, on the processor; a collective where they are parted."""
    return {
        name: (value.full_tensor() if isinstance(value, DTensor) else value).detach().cpu()
        for name, value in model.state_dict().items()
    }
