from pathlib import Path

import pytest

from unmask.core import config as configs
from unmask.core.errors import UserError
from unmask.tokenizer.config import TokenizerConfig


def parse(*flags):
    return configs.parse(TokenizerConfig, ["--out", "o", *flags], prog="unmask tokenizer")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ("", "exactly one of --corpus, --counts and --import-from is needed, none given"),
        ("--corpus c --vocabulary 300 --import-from i", "--corpus and --import-from given"),
        ("--counts k --corpus c --vocabulary 300", "--corpus and --counts given"),
        ("--corpus c", "--corpus needs --vocabulary"),
        ("--counts k", "--counts needs --vocabulary"),
        ("--counts k --vocabulary 300 --min-count 0", "--min-count 0: too small"),
        ("--counts k --vocabulary 300 --workers 2", "--workers 2 does not go with --counts"),
        ("--import-from i --engine ray", "--engine ray does not go with --import-from"),
        ("--import-from i --min-count 2", "--min-count 2 does not go with --import-from"),
        ("--corpus c --vocabulary 260", "vocabulary 260 is too small"),
        ("--corpus c --vocabulary 300 --cased", "are for a BERT vocabulary"),
        ("--import-from i --vocabulary 300", "--vocabulary 300 does not go with --import-from"),
        ("--import-from i --lowercase --cased", "both --lowercase and --cased"),
        ("--import-from i --extend e", "--extend e does not go with --import-from"),
        ("--extend e --vocabulary 300", "exactly one of --corpus, --counts and --import-from"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags, complaint):
    with pytest.raises(UserError, match=complaint):
        parse(*flags.split())


def test_the_smallest_vocabulary_is_taken():
    assert parse("--corpus", "c", "--vocabulary", "261").vocabulary == 261


@pytest.mark.parametrize(
    ("flags", "stated"), [([], None), (["--lowercase"], True), (["--cased"], False)]
)
def test_case_is_stated_by_one_of_two_flags_or_not_at_all(flags, stated):
    assert parse("--import-from", "i", *flags).states_lowercase is stated


def test_a_saved_config_repeats_itself(tmp_path):
    config = TokenizerConfig(out=Path("o"), import_from=Path("i"), cased=True)
    configs.save(config, tmp_path / "recipe.toml")

    again = configs.parse(
        TokenizerConfig, ["--recipe", str(tmp_path / "recipe.toml")], prog="unmask tokenizer"
    )
    assert again == config
