"""Weights of 8 bits on processors that add products in 16."""

import pytest

from unmask.core import machine, manifests
from unmask.core.errors import UserError
from unmask.export.int8.levels import levels_here
from unmask.infer.saturation import refuse_overflow, saturates

OLD, NEW = ["avx2", "avx512f"], ["avx2", "avx512f", "avx512_vnni"]


def exported(folder, **facts):
    manifests.write(folder, "export", {}, [], facts)
    return folder


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [(OLD, True), (NEW, False), (["avx2", "avx_vnni"], False), (["asimddp"], False), ([], True)],
)
def test_instructions_tell(instructions, expected):
    assert saturates(instructions) == expected
    assert 2 * 255 * levels_here(instructions) <= (32_767 if expected else 64_770)


def test_an_export_of_another_processor_is_refused_where_it_would_overflow(tmp_path, monkeypatch):
    full, reduced = exported(tmp_path, levels=127), None
    monkeypatch.setattr(machine, "describe", lambda: {"instruction_sets": OLD})

    with pytest.raises(UserError, match="levels overflow on this processor") as caught:
        refuse_overflow(full)
    assert "export the model again here" in caught.value.hint

    reduced = exported(tmp_path, levels=63)
    refuse_overflow(reduced)
    refuse_overflow(exported(tmp_path, precision="fp32"))


def test_an_export_is_taken_where_nothing_overflows(tmp_path, monkeypatch):
    exported(tmp_path, levels=127)
    monkeypatch.setattr(machine, "describe", lambda: {"instruction_sets": NEW})

    refuse_overflow(tmp_path)
