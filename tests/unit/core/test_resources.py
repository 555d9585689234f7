import os

import pytest

from unmask.core import resources


@pytest.fixture
def proc(monkeypatch, tmp_path):
    """Files of the kernel, as a test wants them."""
    monkeypatch.setattr(resources, "CGROUP", tmp_path)
    monkeypatch.setattr(resources, "MEMINFO", tmp_path / "meminfo")

    def write(**files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)

    return write


def test_free_memory_is_what_the_container_has_left(proc):
    proc(meminfo="MemTotal: 9 kB\nMemAvailable:   1000 kB\n")
    assert resources.memory_free() == 1_024_000

    proc(memory_max="max\n", memory_current="5\n")
    assert resources.memory_free() == 1_024_000

    proc(memory_max="700\n", memory_current="500\n")
    assert resources.memory_free() == 200


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("", None)]
)
def test_a_containers_time_is_said_in_cores(proc, text, cores):
    proc(cpu_max=text)

    assert resources.cpu_quota() == cores


def test_a_machine_that_tells_nothing_has_nothing_known(proc):
    assert resources.memory_free() is None
    assert resources.cpu_quota() is None


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_the_one_above(tmp_path):
    assert resources.disk_free(tmp_path / "runs" / "new") > 0


def test_the_compiler_is_the_one_that_cxx_names(monkeypatch, tmp_path):
    for name in ("mine", "g++"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "mine")
    assert resources.compiler() == os.fspath(tmp_path / "mine")

    monkeypatch.delenv("CXX")
    assert resources.compiler() == os.fspath(tmp_path / "g++")

    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert resources.compiler() is None
