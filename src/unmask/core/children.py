"""Commands of `unmask` in processes of their own, which end when this one does."""

import dataclasses
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from unmask.core import attended

GRACE_S = 10.0
"""For a process to end when it is asked to."""
TORCHRUN_BEFORE, TORCHRUN_AFTER = ("MASTER_", "TORCHELASTIC_"), ("RANK", "WORLD_SIZE")
"""How the names of what torchrun tells its processes begin and end."""


@dataclasses.dataclass(frozen=True, slots=True)
class Child:
    """A command at work, and the log of what it says."""

    log: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def begun(
        cls,
        words: Sequence[str],
        log: Path,
        threads: int,
        environment: Mapping[str, str] | None = None,
    ) -> "Child":
        """Start `unmask` with these words, on so many threads."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            file.write(f"$ {shlex.join(['unmask', *words])}\n".encode())
            file.flush()
            process = subprocess.Popen(
                [sys.executable, "-m", attended.__name__, str(os.getpid()), *words],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=_environment(threads) | dict(environment or {}),
                start_new_session=True,  # Ctrl-C is for this process, which ends its children
            )
        return cls(log, process)

    @property
    def going(self) -> bool:
        """Whether it still runs; never waits."""
        return self.process.poll() is None

    def complaint(self) -> str:
        """What it said of its failure, in a few words."""
        said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        code = self.process.returncode
        killed = f"signal {-code}" if code < 0 else f"exit code {code}"
        return errors[-1] if errors else killed

    def last_word(self) -> str:
        """The last line it said."""
        said = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return said[-1] if said else ""

    def end(self) -> None:
        """End it if it still runs."""
        self.process.terminate()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _environment(threads: int) -> dict[str, str]:
    """This process's own, without what would make a child one of torchrun's processes."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(TORCHRUN_BEFORE) and not name.endswith(TORCHRUN_AFTER)
    }
    return kept | {"OMP_NUM_THREADS": str(threads)}
