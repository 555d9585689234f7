"""The flags of every stage that works in shards: where its tasks run."""

import dataclasses
from typing import Literal

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """Where shard tasks run; the result has the same bytes wherever that is."""

    engine: Literal["local", "ray"] = "local"
    """local: processes of this machine; ray: a Ray cluster."""
    address: str | None = None
    """With --engine ray: the cluster, such as auto or ray://head:10001; by default a local one."""
    workers: int | None = None
    """Tasks at a time; by default one a core (ray: what the cluster has)."""

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UserError(f"--workers {self.workers}: too few", "give 1 or more, or leave it out")
        if self.address is not None and self.engine != "ray":
            raise UserError(
                f"--address {self.address}: only a Ray cluster has one",
                "add --engine ray, or leave it out",
            )
