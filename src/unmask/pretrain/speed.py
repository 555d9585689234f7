"""How fast a run is, beside what its device can do, and what slows it down."""

import dataclasses
from pathlib import Path
from typing import Any

from unmask.core.progress import say
from unmask.model.config import ModelConfig
from unmask.model.flops import training_flops
from unmask.pretrain.config import PretrainConfig
from unmask.train.advice import RunFacts, advice
from unmask.train.config import Precision
from unmask.train.facts import machine_facts
from unmask.train.peak import matrix_peak
from unmask.train.ranks import Ranks

SETTLED = 2
"""Rows after which a run's speed is judged: the first one holds what is done once."""


@dataclasses.dataclass(slots=True)
class Speed:
    """The measured peak of the device, and whether the run was told what slows it down."""

    model: ModelConfig
    length: int
    micro_batch: int
    recompute: bool
    precision: Precision
    ranks: Ranks
    out: Path
    peak: float
    """Floating-point operations a second of all processes together, as measured."""
    rows: int = 0

    @classmethod
    def of(
        cls, config: PretrainConfig, model: ModelConfig, precision: Precision, ranks: Ranks
    ) -> "Speed":
        """Measure the peak, or take the one that was measured before."""
        assert config.length is not None
        peak = ranks.told(matrix_peak(ranks.device, precision) if ranks.first else 0.0)
        return cls(
            model=model,
            length=config.length,
            micro_batch=config.micro_batch,
            recompute=config.recompute,
            precision=precision,
            ranks=ranks,
            out=config.out,
            peak=peak * ranks.size,
        )

    def row(self, row: dict[str, Any], seconds: dict[str, float]) -> dict[str, Any]:
        """What a row says of speed; says aloud what costs some, once the run has settled."""
        flops = training_flops(self.model, length=self.length, masked_share=row["masked_share"])
        self.rows += 1
        if self.rows == SETTLED:
            for sentence in self._advice(row, seconds):
                say(f"slow: {sentence}")
        return {"mfu": flops * row["tokens_per_s"] / self.peak, "seconds": seconds}

    def _advice(self, row: dict[str, Any], seconds: dict[str, float]) -> list[str]:
        places = self.micro_batch * self.length
        run = RunFacts(
            precision=None if self.precision == "auto" else self.precision,
            micro_batch_tokens=places,
            micro_batch_masked=round(places * row["masked_share"]),
            padding_share=row["padding_share"],
            data_share=seconds["data"] / (sum(seconds.values()) or 1.0),
            recompute=self.recompute,
        )
        return advice(machine_facts(self.ranks.device, self.out), run)
