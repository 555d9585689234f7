"""The rules of the house that a machine can hold: sizes, pages, recipes, start-up."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import unmask
from unmask import cli
from unmask.core import config as configs

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_functions_fit_on_a_screen_and_files_hold_one_idea(path):
    text = path.read_text(encoding="utf-8")

    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            assert node.end_lineno - body[0].lineno + 1 <= 40, node.name


def test_every_path_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

    paths = re.findall(r"`((?:src|tests|docs|core)/[\w./]*)`", text)

    assert len(paths) > 10
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "src" / "unmask" / path).exists(), path


def test_the_newest_heading_of_the_changelog_is_the_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.search(r"^## \[(.+?)\]", text, re.MULTILINE)[1] == unmask.__version__


def test_links_in_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    for link in re.findall(r"\]\(([^):]+)\)", text):
        assert (ROOT / link).exists(), link


def commands_of_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^unmask (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("command", commands_of_the_readme())
def test_every_command_of_the_readme_is_understood(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, words = cli.split(shlex.split(command))

    config = configs.parse(cli._load(cli.COMMANDS[name].config), words, prog=name)

    assert config is not None


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in cli.COMMANDS)])
def test_help_never_waits_for_torch(words):
    code = (
        "import sys; from unmask.cli import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'onnxruntime', 'sklearn', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "usage: unmask" in done.stdout


def test_the_page_of_commands_is_what_help_says():
    before = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    code = "import generate; print(generate.commands(), end='')"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "docs", capture_output=True, text=True, check=True
    )

    assert done.stdout == before, "run `make docs`"
