"""What records are shares of, and how much memory a process has had."""

import numpy as np
import pytest

from unmask.bench import memory, peaks


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("unmask.core.locations.cache", lambda: tmp_path)


def test_the_peak_of_int8_is_the_best_of_now_and_before(own_cache, monkeypatch):
    found = iter([5e11, 4e11, 3e11, 8e11])
    monkeypatch.setattr(peaks, "_int8_product", lambda: {"flops": next(found)})

    assert peaks.peak("int8", 1, "cpu") == 5e11
    assert peaks.peak("int8", 1, "cpu") == 5e11
    assert peaks.peak("int8", 1, "cpu") == 8e11
    with pytest.raises(StopIteration):
        peaks.peak("int8", 1, "cpu")


def test_the_peak_of_a_float_format_is_the_best_of_now_and_before(monkeypatch):
    monkeypatch.setattr("unmask.train.peak.matrix_peak", lambda *_: 2e11)
    monkeypatch.setattr("unmask.train.peak.measured_peak", lambda *_: 1e11)

    assert peaks.peak("fp32", 1, "cpu") == 2e11


@pytest.mark.parametrize("number_format", ["fp16", "int4", "None"])
def test_a_format_without_products_here_has_no_peak(number_format):
    assert peaks.peak(number_format, 1, "cpu") is None


def test_the_peak_of_memory_sees_what_was_freed_and_forgets_it():
    before = memory.peak()
    block = np.ones(40 << 20, np.uint8)
    during = memory.peak()
    del block

    assert during >= before + (30 << 20) or during > 300 << 20
    if memory.forget_peak():
        assert memory.peak() <= during - (30 << 20)
