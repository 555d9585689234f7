import pytest

from unmask.core import config as configs
from unmask.core.errors import UserError
from unmask.tokenizer.counts_config import CountsConfig


def parse(flags):
    return configs.parse(CountsConfig, f"--out o {flags}".split(), prog="unmask counts")


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ("", "exactly one of --corpus and --merge is needed, neither given"),
        ("--corpus c --merge a b", "both given"),
        ("--merge a b a", "--merge names a twice"),
        ("--corpus c --workers 0", "--workers 0: too few"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(flags, complaint):
    with pytest.raises(UserError, match=complaint):
        parse(flags)


def test_several_folders_are_merged():
    assert [str(folder) for folder in parse("--merge a b s3-is/c").merge] == ["a", "b", "s3-is/c"]
