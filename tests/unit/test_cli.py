import errno

import pytest

from unmask import __version__, cli
from unmask.cli import Command, main
from unmask.core.errors import UserError
from unmask.core.lineage import LineageConfig


def failing(error):
    def run(_config: LineageConfig) -> None:
        raise error

    return run


@pytest.fixture
def command(monkeypatch):
    """Make `unmask lineage` raise what a test wants."""

    def install(error):
        monkeypatch.setattr("unmask.core.lineage.run", failing(error))
        return main(["lineage", "somewhere"])

    return install


def test_help_and_version_go_to_stdout(capsys):
    assert main([]) == 0
    assert "usage: unmask COMMAND" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"unmask {__version__}\n"


def test_every_command_stands_in_the_help(capsys):
    main(["--help"])

    printed = capsys.readouterr().out
    for name, row in cli.COMMANDS.items():
        assert isinstance(row, Command)
        assert f"  {name} " in printed


def test_a_command_of_two_words_is_found_before_the_one_of_its_first_word():
    assert cli.split(["tokens", "inspect", "folder", "--blocks", "2"]) == (
        "tokens inspect",
        ["folder", "--blocks", "2"],
    )
    assert cli.split(["tokens", "--corpus", "inspect"]) == ("tokens", ["--corpus", "inspect"])
    assert cli.split(["lineage", "inspect"]) == ("lineage", ["inspect"])


def test_the_help_of_a_command_names_those_below_it(capsys):
    for name in ("tokens", "lineage"):
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert ("\nunmask tokens inspect " in capsys.readouterr().out) == (name == "tokens")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tokens", "inspct", "x"], ["unknown command tokens inspct", "tokens inspect, or"]),
        (["inspect", "x"], ["unknown command inspect", "tokens inspect"]),
        (["tokens", "inspect"], ["tokens inspect", "tokens inspect --help"]),
        (["tokens", "inspect", "x", "--blokcs", "2"], ["--blokcs", "did you mean --blocks?"]),
        (["tokens", "inspect", "nowhere"], ["nowhere: no such folder", "a stage of unmask"]),
    ],
)
def test_words_that_are_no_command_say_which_are(words, said, capsys):
    assert main(words) == 2

    what, hint = capsys.readouterr().err.splitlines()
    assert said[0] in what
    assert said[1] in hint


def test_a_user_error_is_two_lines_and_exit_code_2(command, capsys):
    code = command(UserError("file.txt: is\n  empty", "fill it"))

    assert code == 2
    assert capsys.readouterr().err == "error: file.txt: is empty\nhint: fill it\n"


def test_ctrl_c_says_how_to_go_on(command, capsys):
    assert command(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.startswith("error: interrupted\nhint: ")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_with_the_place(command, capsys, number):
    code = command(OSError(number, "No space left on device", "runs/corpus/part"))

    assert code == 2
    assert "no space left in runs/corpus (No space" in capsys.readouterr().err


def test_our_own_mistakes_keep_their_traceback(command):
    with pytest.raises(ZeroDivisionError):
        command(ZeroDivisionError())
    with pytest.raises(PermissionError):
        command(PermissionError(errno.EACCES, "denied"))
