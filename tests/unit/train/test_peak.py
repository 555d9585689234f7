import json

import pytest
import torch

from unmask.train import peak

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Small matrices, a short time, and a cache folder of our own."""
    monkeypatch.setattr(peak, "SIDES", {"cpu": (16, 32)})
    monkeypatch.setattr(peak, "COPIED", {"cpu": 1 << 16})
    monkeypatch.setattr(peak, "SECONDS", 0.002)
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "cache"))


def remembered(tmp_path):
    return sorted((tmp_path / "cache" / "peaks").glob("*.json"))


def test_the_peak_is_that_of_the_best_shape(monkeypatch):
    monkeypatch.setattr(peak, "_shortest", lambda work, device: work() is None or 1e-3)

    assert peak.measured_peak(CPU, "fp32") == 2 * 32**3 / 1e-3


def test_a_peak_is_measured_once_and_then_remembered(monkeypatch, tmp_path):
    first = peak.matrix_peak(CPU, "fp32")
    monkeypatch.setattr(peak, "_product", lambda *_: pytest.fail("measured again"))

    assert peak.matrix_peak(CPU, "fp32") == first > 0
    (file,) = remembered(tmp_path)
    assert json.loads(file.read_text())["key"]["precision"] == "fp32"


def test_what_a_peak_depends_on_is_measured_apart(monkeypatch, tmp_path):
    peak.matrix_peak(CPU, "fp32")
    peak.matrix_peak(CPU, "bf16")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    peak.matrix_peak(CPU, "fp32")
    monkeypatch.setattr(torch, "__version__", "9.9")
    peak.matrix_peak(CPU, "fp32")
    monkeypatch.setattr(peak, "device_name", lambda _device: "another")
    peak.matrix_peak(CPU, "fp32")

    assert len(remembered(tmp_path)) == 5


def test_measuring_anew_replaces_what_was_remembered(monkeypatch):
    peak.matrix_peak(CPU, "fp32")
    monkeypatch.setattr(peak, "_product", lambda *_: 5.0)

    assert peak.measured_peak(CPU, "fp32") == 5.0
    assert peak.matrix_peak(CPU, "fp32") == 5.0


@pytest.mark.parametrize("damage", ["", "{}", "[1]", '{"flops": null}'])
def test_a_damaged_memory_is_measured_anew(monkeypatch, tmp_path, damage):
    peak.matrix_peak(CPU, "fp32")
    (file,) = remembered(tmp_path)
    file.write_text(damage)
    monkeypatch.setattr(peak, "_product", lambda *_: 5.0)

    assert peak.matrix_peak(CPU, "fp32") == 5.0


def test_where_nothing_can_be_written_it_is_measured_every_time(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path / "file"))

    assert peak.matrix_peak(CPU, "fp32") > 0


def test_the_shortest_round_counts(monkeypatch):
    # The time runs out at 15; rounds take 0.5, 0.1 (of 3 calls), 0.6 (of 45) and 20.
    now = iter([0.0, 10.0, 10.5, 11.0, 11.1, 12.0, 12.6, 13.0, 33.0])
    calls = []
    monkeypatch.setattr(peak, "SECONDS", 15.0)
    monkeypatch.setattr(peak.time, "perf_counter", lambda: next(now))

    assert peak._shortest(lambda: calls.append(1), CPU) == pytest.approx(0.6 / 45)
    assert len(calls) == 1 + 1 + 3 + 45 + 64


def test_bandwidth_counts_bytes_read_and_written(monkeypatch):
    monkeypatch.setattr(peak, "_shortest", lambda work, device: work() is None or 0.5)

    assert peak.memory_bandwidth(CPU) == 2 * (1 << 16) / 0.5
