import platform

from unmask.core import machine


def test_a_machine_is_described_by_what_decides_results():
    found = machine.describe()

    assert found["cores"] >= 1
    assert found["memory_bytes"] > 1 << 28
    assert found["versions"]["python"] == platform.python_version()
    assert "torch" in found["versions"]
    assert set(found["instruction_sets"]) <= set(machine.INSTRUCTION_SETS)
