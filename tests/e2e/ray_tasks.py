"""Tasks on a local Ray of two workers; a process of its own. Usage: ray_tasks.py FOLDER"""

import os
import signal
import sys
from pathlib import Path

from unmask.core import engine
from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError


def die_once(task: tuple[Path, int]) -> dict[str, int]:
    """Kill the worker that runs task 3, the first time."""
    folder, number = task
    marker = folder / "died"
    if number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"square": number * number}


def refuse(task: int) -> dict[str, int]:
    """Fail as a stage fails."""
    raise UserError(f"task {task} is bad", "mend it")


def main(folder: Path) -> None:
    """Run both and print what came back."""
    config = EngineConfig(engine="ray", workers=2)
    tasks = {f"task-{number}": (folder, number) for number in range(8)}
    results = engine.each(die_once, tasks, config, done=folder / "done", title="squares")
    squares = [result["square"] for result in results.values()]
    sys.stdout.write(f"{squares} {(folder / 'died').exists()}\n")
    try:
        engine.each(refuse, {"one": 1}, config, done=folder / "refused", title="refusals")
    except UserError as error:
        sys.stdout.write(f"{error.what} | {error.hint}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
