"""One fine-tuning, in a process of its own."""

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.pretrain.scoring import attended

GRACE_S = 10.0
"""For a process to end when it is asked to."""
TORCHRUN_BEFORE, TORCHRUN_AFTER = ("MASTER_", "TORCHELASTIC_"), ("RANK", "WORLD_SIZE")
"""How the names of what torchrun tells its processes begin and end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tuning:
    """A process of `unmask finetune`, its run folder, and beside that the log of what it says."""

    out: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def begun(cls, words: Sequence[str], out: Path, threads: int) -> "Tuning":
        """Start it with these flags; what an earlier one left there is thrown away."""
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        command = ["finetune", *words, f"--out={out}"]
        with _log(out).open("wb") as log:
            log.write(f"$ {shlex.join(['unmask', *command])}\n".encode())
            log.flush()
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    attended.__name__,
                    str(os.getpid()),
                    *command,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(threads),
                start_new_session=True,  # Ctrl-C is for the run, which ends its children itself
            )
        return cls(out, process)

    @property
    def going(self) -> bool:
        """Whether it still runs; never waits."""
        return self.process.poll() is None

    @property
    def log(self) -> Path:
        """Where its words are."""
        return _log(self.out)

    def score(self) -> tuple[str, float] | None:
        """The metric and what the best epoch scored by it on dev; None if it failed."""
        try:
            made = manifests.read(self.out / "model")
        except UserError:
            return None
        metric = str(made.config["metric"])
        return metric, float(made.facts[f"dev_{metric}"])

    def complaint(self) -> str:
        """What it said of its failure, in a few words."""
        said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        code = self.process.returncode
        killed = f"signal {-code}" if code < 0 else f"exit code {code}"
        return errors[-1] if errors else killed

    def forget(self) -> None:
        """Remove its weights and its log."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def end(self) -> None:
        """End it if it still runs, and leave nothing of it."""
        self.process.terminate()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.forget()


def _log(out: Path) -> Path:
    return out.with_name(f"{out.name}.log")


def _environment(threads: int) -> dict[str, str]:
    """This process's own, without what would make a fine-tuning one of torchrun's processes."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(TORCHRUN_BEFORE) and not name.endswith(TORCHRUN_AFTER)
    }
    return kept | {"OMP_NUM_THREADS": str(threads)}
