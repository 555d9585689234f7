from pathlib import Path

import pytest

from unmask.core import config as configs
from unmask.core.errors import UserError
from unmask.corpus.config import CorpusConfig, FilterConfig


def test_a_dash_and_several_inputs_come_through_the_command_line():
    words = ["--inputs", "a.txt", "-", "--out", "corpus"]

    config = configs.parse(CorpusConfig, words, prog="unmask corpus")

    assert config == CorpusConfig(inputs=("a.txt", "-"), out=Path("corpus"))


@pytest.mark.parametrize(
    "filters", [FilterConfig(), FilterConfig(min_characters=5, languages=("en", "zh"))]
)
def test_a_saved_config_repeats_itself_as_a_recipe(tmp_path, filters):
    config = CorpusConfig(
        inputs=("a", "-"),
        out=Path("b"),
        undecodable="drop",
        valid_fraction=0.5,
        filters=filters,
        near_duplicates=0.8,
        workers=3,
    )

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
        ({"near_duplicates": 0.1}, "--near-duplicates 0.1 is not in [0.5, 1]"),
        ({"workers": 0}, "--workers 0: too few"),
        ({"address": "auto"}, "--address auto: only a Ray cluster has one"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_its_value(setting, complaint):
    with pytest.raises(UserError) as error:
        CorpusConfig(**{"inputs": ("a.txt",), "out": Path("b"), **setting})

    assert error.value.what == complaint
    assert error.value.hint


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"min_words": 0}, "--filters.min-words 0 is below 1"),
        ({"max_symbol_share": 1.5}, "--filters.max-symbol-share 1.5 is not in [0, 1]"),
        (
            {"min_characters": 9, "max_characters": 5},
            "--filters.min-characters 9 is above --filters.max-characters 5",
        ),
        (
            {"min_language_probability": 0.5},
            "--filters.min-language-probability 0.5 has no effect without --filters.languages",
        ),
    ],
)
def test_a_filter_that_cannot_work_is_refused_with_its_value(setting, complaint):
    with pytest.raises(UserError) as error:
        FilterConfig(**setting)

    assert error.value.what == complaint
    assert error.value.hint


def test_several_languages_come_through_the_command_line():
    words = ["--inputs", "a", "--out", "b", "--filters.languages", "en", "zh", "--workers", "2"]

    config = configs.parse(CorpusConfig, words, prog="unmask corpus")

    assert config.filters == FilterConfig(languages=("en", "zh"))
    assert config.workers == 2
