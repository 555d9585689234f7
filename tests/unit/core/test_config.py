import dataclasses
from pathlib import Path
from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask import cli
from unmask.core import config as configs
from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    """Inner."""

    rate: float = 0.1
    """A rate."""
    on: bool = True
    """A switch."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Outer:
    """Outer."""

    out: Path
    """A folder."""
    steps: int = 10
    """A count."""
    words: tuple[str, ...] = ()
    """Some words."""
    kind: Literal["this", "that"] = "this"
    """A choice."""
    note: str | None = None
    """A text."""
    force: bool = False
    """A switch."""
    inner: Inner = dataclasses.field(default_factory=Inner)


def parse(*argv):
    return configs.parse(Outer, argv, prog="unmask outer")


def test_flags_become_a_config():
    config = parse("--out", "x", "--inner.rate", "3e-4", "--inner.no-on", "--words", "a", "b")

    assert config == Outer(out=Path("x"), words=("a", "b"), inner=Inner(rate=3e-4, on=False))


def test_the_later_word_wins_over_recipe_and_flag(tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text('out = "from-recipe"\nsteps = 5\n[inner]\nrate = 0.5\n')

    assert parse("--steps", "7", "--recipe", str(recipe)).steps == 5
    config = parse("--recipe", str(recipe), "--steps", "7")
    assert config == Outer(out=Path("from-recipe"), steps=7, inner=Inner(rate=0.5))


@given(
    st.builds(
        Outer,
        out=st.just(Path("some/folder")),
        steps=st.integers(-(10**9), 10**9),
        words=st.lists(st.text("abc -=.é\"'", min_size=1).filter(lambda w: w[0] != "-")).map(tuple),
        kind=st.sampled_from(["this", "that"]),
        note=st.none() | st.text("abc -=\"'", min_size=1),
        force=st.booleans(),
        inner=st.builds(
            Inner, rate=st.floats(allow_nan=False, allow_infinity=False), on=st.booleans()
        ),
    )
)
def test_a_saved_config_repeats_itself(tmp_path_factory, config):
    recipe = tmp_path_factory.mktemp("recipe") / "config.toml"
    configs.save(config, recipe)

    assert parse("--recipe", str(recipe)) == config


@pytest.mark.parametrize(
    ("argv", "what", "hint"),
    [
        (["--out", "x", "--stesp", "3"], "unknown option --stesp", "did you mean --steps?"),
        (["--out", "x", "--inner.rat", "3"], "unknown option --inner.rat", "--inner.rate?"),
        (["--stesp", "3"], "unknown option --stesp", "did you mean --steps?"),
        (["--out", "x", "--steps", "many"], "many", "--help"),
        (["--out", "x", "--kind", "other"], "other", "--help"),
        (["--steps", "3"], "--out", "--help"),
        (["--out", "x", "--recipe"], "--recipe needs a file", "recipes/"),
        (["--recipe", "nowhere.toml"], "nowhere.toml: no such recipe", "recipes/"),
    ],
)
def test_flags_that_do_not_fit_give_one_line_and_a_hint(argv, what, hint):
    with pytest.raises(UserError) as caught:
        parse(*argv)

    assert what in caught.value.what
    assert hint in caught.value.hint
    assert "\n" not in caught.value.what


def test_a_misspelt_key_in_a_recipe_names_the_right_one(tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text('out = "x"\n[inner]\nraet = 0.5\n')

    with pytest.raises(UserError, match=r"unknown option --inner\.raet") as caught:
        parse("--recipe", str(recipe))

    assert "--inner.rate" in caught.value.hint


def test_a_recipe_that_is_no_toml_names_the_line(tmp_path):
    recipe = tmp_path / "r.toml"
    recipe.write_text("steps = \n")

    with pytest.raises(UserError, match=r"r\.toml: not valid TOML.*line 1"):
        parse("--recipe", str(recipe))


def test_differences_leave_out_where_the_result_goes():
    old, new = Outer(out=Path("a")), Outer(out=Path("b"), force=True, inner=Inner(rate=1.0))

    assert configs.differences(configs.plain(old), configs.plain(new)) == ["inner.rate: 0.1 -> 1.0"]


def config_types():
    return [cli._load(command.config) for command in cli.COMMANDS.values()]


@pytest.mark.parametrize("config_type", config_types(), ids=lambda kind: kind.__name__)
def test_every_config_is_frozen_documented_and_optional_only_by_none(config_type):
    """TOML has no null, so a field that may be None has to default to it."""
    assert config_type.__dataclass_params__.frozen
    assert config_type.__doc__
    for field in dataclasses.fields(config_type):
        if type(None) in get_args(field.type):
            assert field.default is None, field.name
