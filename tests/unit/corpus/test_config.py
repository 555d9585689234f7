from pathlib import Path

import pytest

from unmask.core import config as configs
from unmask.core.errors import UserError
from unmask.corpus.config import CorpusConfig


def test_a_dash_and_several_inputs_come_through_the_command_line():
    words = ["--inputs", "a.txt", "-", "--out", "corpus"]

    config = configs.parse(CorpusConfig, words, prog="unmask corpus")

    assert config == CorpusConfig(inputs=("a.txt", "-"), out=Path("corpus"))


def test_a_saved_config_repeats_itself_as_a_recipe(tmp_path):
    config = CorpusConfig(inputs=("a", "-"), out=Path("b"), undecodable="drop", valid_fraction=0.5)

    configs.save(config, tmp_path / "corpus.toml")

    words = ["--recipe", str(tmp_path / "corpus.toml")]
    assert configs.parse(CorpusConfig, words, prog="unmask corpus") == config


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"inputs": ()}, "--inputs names nothing"),
        ({"valid_fraction": 1.0}, "--valid-fraction 1.0 is not in [0, 1)"),
        ({"valid_fraction": -0.1}, "--valid-fraction -0.1 is not in [0, 1)"),
        ({"encoding": "utf-9"}, "--encoding utf-9: no such text encoding"),
        ({"encoding": "hex"}, "--encoding hex: no such text encoding"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_its_value(setting, complaint):
    with pytest.raises(UserError) as error:
        CorpusConfig(**{"inputs": ("a.txt",), "out": Path("b"), **setting})

    assert error.value.what == complaint
    assert error.value.hint
