import dataclasses
import io
import json

import pytest
import torch
from rich.console import Console

from unmask.doctor import extras, findings, terminal
from unmask.doctor.config import DoctorConfig
from unmask.doctor.findings import Device, Findings, look
from unmask.doctor.run import run
from unmask.train import facts

FOUND = Findings(
    machine={
        "cpu": "A processor",
        "cores": 8,
        "instruction_sets": ["avx2", "avx512_bf16"],
        "memory_bytes": 64 << 30,
        "system": "Linux",
        "versions": {"python": "3.11", "torch": "2.13"},
    },
    threads=8,
    quota=4.0,
    disk_free=100 << 30,
    compiler=None,
    devices=(
        Device(
            name="A processor",
            kind="cpu",
            memory_free=32 << 30,
            peaks={"fp32": 130e9, "bf16": 400e9},
            bandwidth=20e9,
        ),
        Device(
            name="A card", kind="cuda", memory_free=None, peaks={"bf16": 780e12}, bandwidth=4e12
        ),
    ),
    extras={"export": [], "scale": ["ray"]},
    advice=("The disk is slow: buy another.",),
)


@pytest.fixture
def quick(monkeypatch):
    """Nothing is measured."""
    peaks = {"fp32": 100e9, "bf16": 500e9}
    monkeypatch.setattr(findings.peak, "measured_peak", lambda _device, name: peaks[name])
    monkeypatch.setattr(findings.peak, "memory_bandwidth", lambda _device: 10e9)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    return monkeypatch


def shown(found):
    screen = io.StringIO()
    terminal.show(found, Console(file=screen, width=100))
    return [" ".join(line.split()) for line in screen.getvalue().splitlines()]


def test_what_was_found_is_shown_in_tables():
    lines = shown(FOUND)

    for line in (
        "Cores 8, of which the container is allowed 4; torch computes with 8 threads",
        "Instructions avx2, avx512_bf16",
        "Memory 64.0 GiB",
        "Compiler none",
        "A processor 130 GFLOP/s 400 GFLOP/s - 20.0 GB/s 32.0 GiB",
        "A card - 780.0 TFLOP/s - 4,000.0 GB/s",
        "export installed",
        "scale missing ray: pip install 'unmask[scale]'",
        "- The disk is slow: buy another.",
    ):
        assert line in lines


def test_where_nothing_is_slow_it_says_so():
    assert shown(dataclasses.replace(FOUND, advice=()))[-1] == "Nothing here will be slow."


def test_half_precision_is_measured_where_the_device_has_it(quick, tmp_path):
    for has, names in ((True, {"fp32", "bf16"}), (False, {"fp32"})):
        for module in (findings, facts):
            quick.setattr(module, "has_bf16", lambda _device, has=has: has)

        found = look(tmp_path)

        assert set(found.devices[0].peaks) == names
        assert any("no bf16" in sentence for sentence in found.advice) != has


def test_bf16_that_is_no_faster_is_said(quick, tmp_path):
    for module in (findings, facts):
        quick.setattr(module, "has_bf16", lambda _device: True)
    quick.setattr(findings.peak, "measured_peak", lambda *_: 100e9)

    assert any("only 1.0 times as fast" in sentence for sentence in look(tmp_path).advice)


def test_threads_taken_away_by_the_environment_are_said(quick, tmp_path):
    quick.setenv("OMP_NUM_THREADS", "1")
    quick.setattr(torch, "get_num_threads", lambda: 1)
    quick.setattr(
        facts.machine, "describe", lambda: {"cpu": "A", "cores": 8, "instruction_sets": []}
    )
    quick.setattr(
        findings.machine, "describe", lambda: {"cpu": "A", "cores": 8, "instruction_sets": []}
    )

    assert any("OMP_NUM_THREADS=1" in sentence for sentence in look(tmp_path).advice)


def test_machines_read_json(quick, tmp_path, capsys):
    run(DoctorConfig(out=tmp_path, json=True))

    printed = json.loads(capsys.readouterr().out)
    assert printed["devices"][0]["peaks"]["fp32"] == 100e9
    assert set(printed) == {field.name for field in dataclasses.fields(Findings)}


def test_people_read_tables(quick, tmp_path, capsys):
    run(DoctorConfig(out=tmp_path))

    printed = capsys.readouterr()
    assert "Measured just now" in printed.out
    assert "measuring" in printed.err


def test_every_extra_is_looked_at_and_developers_own_are_not(monkeypatch):
    wanted = [
        "torch>=2",
        'one>=1; extra == "alpha"',
        'two; extra == "beta"',
        'unmask[alpha]; extra == "test"',
    ]
    names = {"Provides-Extra": ["alpha", "beta", "test", "dev"]}

    class Metadata:
        get_all = staticmethod(names.get)

    def version(package):
        if package != "one":
            raise extras.metadata.PackageNotFoundError
        return "1"

    monkeypatch.setattr(extras.metadata, "metadata", lambda _package: Metadata)
    monkeypatch.setattr(extras.metadata, "requires", lambda _package: wanted)
    monkeypatch.setattr(extras.metadata, "version", version)

    assert extras.missing() == {"alpha": [], "beta": ["two"]}
