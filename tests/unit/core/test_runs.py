import dataclasses
from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.core.runs import Run


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    out: Path
    steps: int = 1


def test_a_run_folder_holds_config_and_machine(tmp_path):
    run = Run.open(tmp_path / "run", Config(out=tmp_path / "run"), force=False)

    assert sorted(path.name for path in run.folder.iterdir()) == ["config.toml", "machine.json"]


def test_the_same_config_opens_a_run_again_and_another_is_refused(tmp_path):
    Run.open(tmp_path / "run", Config(out=tmp_path / "run"), force=False).log({"step": 1})

    again = Run.open(tmp_path / "run", Config(out=Path("elsewhere/run")), force=False)

    assert list(again.metrics()) == [{"step": 1}]
    with pytest.raises(UserError, match=r"another config \(steps: 1 -> 2\)"):
        Run.open(tmp_path / "run", Config(out=tmp_path / "run", steps=2), force=False)


def test_force_throws_a_run_away_and_only_a_run(tmp_path):
    Run.open(tmp_path / "run", Config(out=tmp_path / "run"), force=False).log({"step": 1})
    Run.open(tmp_path / "run", Config(out=tmp_path / "run", steps=2), force=True)
    assert list(Run(tmp_path / "run").metrics()) == []

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds no run of unmask"):
        Run.open(tmp_path / "mine", Config(out=tmp_path / "mine"), force=True)


def test_a_metrics_line_cut_short_is_left_out(tmp_path):
    run = Run.open(tmp_path / "run", Config(out=tmp_path), force=False)
    run.log({"step": 1})
    with (run.folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')

    assert list(run.metrics()) == [{"step": 1}]


def test_the_row_after_a_line_cut_short_is_whole(tmp_path):
    run = Run.open(tmp_path / "run", Config(out=tmp_path), force=False)
    run.log({"step": 1})
    with (run.folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')

    run.log({"step": 2})
    run.log({"step": 3})

    assert [row["step"] for row in run.metrics()] == [1, 2, 3]
    assert (run.folder / "metrics.jsonl").read_text().count("\n") == 4
