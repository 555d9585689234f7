"""Shard tasks: the same function over many tasks, on processes of this machine or on Ray.

A task is idempotent: it writes each of its files whole, under names that depend on the task
alone, and what it returns is stored as `NAME.json`. So a task may run twice, anywhere, in any
order; and a run that was killed does only what is missing.
"""

import functools
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from unmask.core import files
from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError
from unmask.core.progress import bar, say

T = TypeVar("T")
Result = dict[str, Any]
Call = Callable[[str, T], None]

WORKER = {
    # Each worker is one thread: there are as many workers as cores.
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
    # Arrow's own pool keeps what was freed; a quarter of a worker's memory was that.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""The environment of a worker."""


def each(
    function: Callable[[T], Result],
    tasks: Mapping[str, T],
    config: EngineConfig,
    *,
    done: Path,
    title: str,
    weights: Mapping[str, int] | None = None,
) -> dict[str, Result]:
    """Run `function` on every task; return the results by name, in the order of `tasks`.

    `function` stands at the head of a module and returns what JSON can hold. A task whose result
    lies in the folder `done` is not run again. `weights` are what the progress bar counts.
    """
    weights = weights or dict.fromkeys(tasks, 1)
    done.mkdir(parents=True, exist_ok=True)  # which does nothing in an object store
    before = done.iterdir() if done.exists() else []
    finished = {path.name.removesuffix(".json") for path in before}
    pending = {name: task for name, task in tasks.items() if name not in finished}
    if kept := len(tasks) - len(pending):
        say(f"{title}: {kept:,} of {len(tasks):,} tasks were done before and are kept")
    call = functools.partial(_perform, function, done)
    total = sum(weights[name] for name in tasks)
    earlier = total - sum(weights[name] for name in pending)
    with bar(title, total, done=earlier) as progress:
        for name in _finishing(call, pending, config):
            progress.advance(weights[name])
    return {name: files.read_json(done / f"{name}.json") for name in tasks}


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _perform(function: Callable[[T], Result], done: Path, name: str, task: T) -> None:
    files.write_json(done / f"{name}.json", function(task))


def _finishing(call: Call[T], tasks: Mapping[str, T], config: EngineConfig) -> Iterator[str]:
    """Yield the names of tasks as they finish."""
    if config.engine == "ray":
        return _on_ray(call, tasks, config)
    workers = min(config.workers or cores(), len(tasks))
    return _in_processes(call, tasks, workers) if workers > 1 else _here(call, tasks)


def _here(call: Call[T], tasks: Mapping[str, T]) -> Iterator[str]:
    for name, task in tasks.items():
        call(name, task)
        yield name


def _in_processes(call: Call[T], tasks: Mapping[str, T], workers: int) -> Iterator[str]:
    # Spawned, not forked: a forked copy of a process with threads may hang.
    pool = futures.ProcessPoolExecutor(workers, get_context("spawn"), initializer=_become_worker)
    try:
        running = {pool.submit(call, name, task): name for name, task in tasks.items()}
        for future in futures.as_completed(running):
            future.result()
            yield running[future]
    except BrokenProcessPool:
        raise UserError(
            "a worker process died, as processes do that take more memory than there is",
            "the same command goes on with what is missing; --workers 1 takes the least memory",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _become_worker() -> None:
    os.environ.update(WORKER)
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def _on_ray(call: Call[T], tasks: Mapping[str, T], config: EngineConfig) -> Iterator[str]:
    """Keep the cluster filled; a task whose worker dies is run again elsewhere by Ray."""
    ray = _ray(config)
    remote = ray.remote(num_cpus=1, max_retries=3)(_perform_elsewhere)
    waiting = iter(tasks.items())
    running: dict[Any, str] = {}
    limit = config.workers or 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
    while True:
        for name, task in _up_to(limit - len(running), waiting):
            running[remote.remote(call, str(Path.cwd()), name, task)] = name
        if not running:
            return
        ready, _ = ray.wait(list(running), num_returns=1)
        try:
            ray.get(ready)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError as error:
            raise UserError(
                f"Ray gave up on {running[ready[0]]} ({type(error).__name__})",
                "look at the cluster; the same command goes on with what is missing",
            ) from None
        yield running.pop(ready[0])


def _perform_elsewhere(call: Call[T], folder: str, name: str, task: T) -> None:
    """Run a task on a node of the cluster; relative paths mean what they mean at the driver."""
    os.environ.update(WORKER)
    if Path(folder).is_dir():
        os.chdir(folder)
    call(name, task)


def _ray(config: EngineConfig) -> Any:  # noqa: ANN401 (ray is an extra and may be absent)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what runs here is told to nobody
    try:
        import ray
    except ImportError:
        raise UserError("--engine ray needs Ray", "pip install 'unmask[scale]'") from None
    if not ray.is_initialized():
        local = {} if config.address else {"num_cpus": config.workers, "include_dashboard": False}
        try:
            ray.init(address=config.address, log_to_driver=False, logging_level="ERROR", **local)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(
                f"--address {config.address}: no Ray cluster there ({error})",
                "start one with `ray start --head`, or leave --address out for a local one",
            ) from None
    return ray


def _up_to(number: int, items: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    for _ in range(number):
        if (item := next(items, None)) is None:
            return
        yield item
