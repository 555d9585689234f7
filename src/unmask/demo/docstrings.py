"""Docstrings read out of a source file without running it, one paragraph or list item a line."""

import ast
import inspect
import re
import warnings
from collections.abc import Iterator, Sequence

DOCUMENTED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

ITEM = re.compile(
    r"\s*(?:[-*+•] |\d+[.)] |\.\. |@\w+ |:(?:param|type|returns?|rtype|raises|arg|key|var)\b)"
    r"|\s+[\w*`.]+(?: \([^)]*\))?:(?:\s|$)"
    r"|[\w*`., ]+ : "
)
"""Starts a list item, a directive or the description of a parameter (reST, Google, numpy)."""
UNDERLINE = re.compile(r"([-=~^*#\"'+])\1{2,}")
RUNS_TO_BLANK = re.compile(r"\s*(?:>>>|\$ |\||\+[-=]+\+|[=-]{2,} +[=-]{2,})")
"""Starts a doctest or a table, which ends at the next blank line."""
OPENS_CODE = re.compile(r"\s*(?!\.\. ).*::$|\s*\.\. (?:code|sourcecode|math|plot|parsed-literal)")
STATEMENT = re.compile(
    r"\s+(?:from [\w.]+ import |import [\w.]+$|def \w+\(|class \w+[(:]|[\w.\[\]]+ = |[\w.]+\(.*\)$)"
)
"""An indented line of code that nothing announces as code."""


def read(source: bytes) -> list[str]:
    """Docstrings of the module, its classes and functions, in source order, without indentation.

    A source that does not parse has none.
    """
    tree = _parsed(source)
    return list(_docstrings(tree)) if tree else []


def topics(source: bytes) -> dict[str, str]:
    """Read the texts behind `help("with")` out of the source of `pydoc_data.topics`."""
    tree = _parsed(source)
    tables = [node.value for node in tree.body if isinstance(node, ast.Assign)] if tree else []
    # Where reST has `::`, the rendered text that Python ships has `:` and a blank line.
    return {
        name: text.replace(":\n\n   ", "::\n\n   ")
        for table in tables
        for name, text in ast.literal_eval(table).items()
    }


def unwrap(text: str) -> str:
    """Put each paragraph and item on one line; code, doctests and tables stay as they are.

    Blank lines and the underlines of headings go.
    """
    lines = text.expandtabs().splitlines()
    joined: list[str] = []
    start: int | None = None  # indentation of the open paragraph; None: the next line opens one
    item = False
    for line, verbatim in zip(lines, _verbatim(lines), strict=True):
        indent = _indent(line)
        flat = " ".join(line.split())
        if verbatim and flat:
            joined.append(line.rstrip())
            start = None
        elif not flat or UNDERLINE.fullmatch(flat):
            start = None
        elif _continues(line, indent, start, item=item):
            joined[-1] += f" {flat}"
        else:
            joined.append(flat)
            start, item = indent, bool(ITEM.match(line))
    return "\n".join(joined)


def _parsed(source: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's invalid escapes
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _docstrings(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> Iterator[str]:
    text = ast.get_docstring(node, clean=False)
    if text:
        yield inspect.cleandoc(text)
    for child in node.body:
        if isinstance(child, DOCUMENTED):
            yield from _docstrings(child)


def _continues(line: str, indent: int, start: int | None, *, item: bool) -> bool:
    """A paragraph goes on at its own indentation, an item also deeper than its mark."""
    if start is None or ITEM.match(line):
        return False
    return indent == start or (item and indent > start)


def _verbatim(lines: Sequence[str]) -> Iterator[bool]:
    """Tell for each line whether it is code or part of a table."""
    fenced = to_blank = False
    opened: int | None = None  # indentation of the line that announced a block of code
    for line in lines:
        indent = _indent(line)
        fence = line.lstrip().startswith("```")
        to_blank = bool(line.strip()) and (to_blank or bool(RUNS_TO_BLANK.match(line)))
        if opened is not None and line.strip() and indent <= opened:
            opened = None
        inside = fenced or fence or to_blank or opened is not None
        yield inside or bool(STATEMENT.match(line))
        fenced ^= fence
        if not inside and OPENS_CODE.match(line):
            opened = indent


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
