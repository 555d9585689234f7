import dataclasses
import os

import pytest

from unmask.core import engine, files
from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError

TASKS = {f"task-{number}": number for number in range(5)}


def double(number):
    return {"double": 2 * number, "process": os.getpid()}


def refuse(number):
    raise UserError(f"task {number} is bad", "mend it")


def die(number):
    os._exit(9)


def run(folder, function=double, **flags):
    return engine.each(function, TASKS, EngineConfig(**flags), done=folder / "done", title="tasks")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_by_name_in_the_order_of_the_tasks(tmp_path, workers):
    results = run(tmp_path, workers=workers)

    assert list(results) == list(TASKS)
    assert [result["double"] for result in results.values()] == [0, 2, 4, 6, 8]
    here = {result["process"] for result in results.values()} == {os.getpid()}
    assert here == (workers == 1)


def test_a_task_that_was_done_before_is_not_done_again(tmp_path, capsys):
    (tmp_path / "done").mkdir()
    files.write_json(tmp_path / "done" / "task-3.json", {"double": "kept"})

    results = run(tmp_path, workers=1)

    assert results["task-3"] == {"double": "kept"}
    assert results["task-4"]["double"] == 8
    assert "1 of 5 tasks were done before" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_task_arrives_whole(tmp_path, workers):
    with pytest.raises(UserError, match=r"task \d is bad") as caught:
        run(tmp_path, refuse, workers=workers)

    assert caught.value.hint == "mend it"


def test_a_worker_that_dies_is_said(tmp_path):
    with pytest.raises(UserError, match="a worker process died") as caught:
        run(tmp_path, die, workers=2)

    assert "goes on with what is missing" in caught.value.hint


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"workers": 0}, "--workers 0: too few"),
        ({"address": "auto"}, "--address auto: only a Ray cluster has one"),
    ],
)
def test_settings_without_effect_are_refused(flags, said):
    with pytest.raises(UserError, match=said):
        EngineConfig(**flags)


def test_where_the_work_is_done_is_no_part_of_the_result():
    from unmask.core import config

    flags = dataclasses.asdict(EngineConfig(engine="ray", address="auto", workers=3))

    assert config.identifying(flags) == {}
