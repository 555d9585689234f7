import dataclasses
from pathlib import Path

import pytest

from unmask import cli
from unmask.core import config as configs
from unmask.core.errors import UserError
from unmask.demo import run as demo
from unmask.demo import table
from unmask.demo.config import DemoConfig
from unmask.demo.stages import Command, call, commands

SCORES = {"loss": 6.0, "perplexity": 400.0, "accuracy": 0.1, "examples": 800}
OUTCOME = table.Outcome(
    start=SCORES | {"loss": 9.0},
    end=SCORES,
    pretrained=SCORES | {"accuracy": 0.6},
    random=SCORES | {"accuracy": 0.5},
    contract={
        "parity": {"max_difference": 1e-6},
        "speeds": {"torch fp32": {"sentences_per_s": 300.0}},
    },
    filled=[{"text": "a <mask>", "masks": [[{"token": " b", "probability": 0.25}] * 3]}],
    labels=8,
    model=Path("runs/demo/pretrain/model"),
)


@pytest.mark.parametrize("command", list(commands(DemoConfig())), ids=lambda each: each.words[0])
def test_every_command_of_the_demo_is_understood(command):
    stage, *words = command.words

    assert configs.parse(cli._load(cli.COMMANDS[stage].config), words, prog=stage)


def test_a_stage_that_fails_ends_the_demo(tmp_path):
    with pytest.raises(UserError, match="unmask lineage ended with exit code 2"):
        call(Command(["lineage", str(tmp_path)], tmp_path / "out.json"))

    assert not (tmp_path / "out.json").exists()


def finish(monkeypatch, outcome):
    monkeypatch.setattr(demo, "gather", lambda *_, **__: {})
    monkeypatch.setattr(demo, "commands", lambda _: [])
    monkeypatch.setattr(table.Outcome, "read", lambda _: outcome)
    demo.run(DemoConfig())


def test_a_demo_ends_with_its_table_on_stdout(monkeypatch, capsys):
    finish(monkeypatch, OUTCOME)

    printed = capsys.readouterr().out
    for text in ("9.000 -> 6.000", "60.0%", "+10.0%", "800 held-out", "1.0e-06", "'b' 25%"):
        assert text in printed


@pytest.mark.parametrize("accuracy", [0.5, 0.4])
def test_a_demo_whose_pretraining_does_not_help_says_so_and_fails(monkeypatch, capsys, accuracy):
    worse = dataclasses.replace(OUTCOME, pretrained=SCORES | {"accuracy": accuracy})

    with pytest.raises(UserError, match=r"pretraining did not help: accuracy .* 50\.0% without"):
        finish(monkeypatch, worse)

    assert "accuracy from pretrained weights" in capsys.readouterr().out
