"""One fine-tuning, in a process of its own."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from unmask.core import manifests
from unmask.core.children import Child
from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True)
class Tuning:
    """A process of `unmask finetune`, its run folder, and beside that the log of what it says."""

    out: Path
    child: Child

    @classmethod
    def begun(cls, words: Sequence[str], out: Path, threads: int) -> "Tuning":
        """Start it with these flags; what an earlier one left there is thrown away."""
        shutil.rmtree(out, ignore_errors=True)
        log = out.with_name(f"{out.name}.log")
        return cls(out, Child.begun(["finetune", *words, f"--out={out}"], log, threads))

    @property
    def going(self) -> bool:
        """Whether it still runs; never waits."""
        return self.child.going

    @property
    def log(self) -> Path:
        """Where its words are."""
        return self.child.log

    def score(self) -> tuple[str, float] | None:
        """The metric and what the best look at dev scored by it; None if it failed."""
        try:
            facts = manifests.read(self.out / "model").facts
        except UserError:
            return None
        metric = str(facts["metric"])
        return metric, float(facts[f"dev_{metric}"])

    def complaint(self) -> str:
        """What it said of its failure, in a few words."""
        return self.child.complaint()

    def forget(self) -> None:
        """Remove its weights and its log."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def end(self) -> None:
        """End it if it still runs, and leave nothing of it."""
        self.child.end()
        self.forget()
