"""What is shown, in a terminal: colours where there are any, brackets where there are none."""

import sys

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from unmask.inspect.look import FATES, Block, Fate, Histogram, Look, Table, Token
from unmask.inspect.spelling import TIE, parted

WIDTH = 100
"""Columns where no terminal says how many it has."""
BAR = 40
EIGHTHS = " ▏▎▍▌▋▊▉"

TITLE, QUIET, SPECIAL = "bold", "dim", "blue"
STYLES: dict[Fate, str] = {
    "masked": "black on yellow",
    "random": "black on magenta",
    "kept": "black on cyan",
}
OTHER = "magenta"
"""What the model sees for a random one."""
MEANINGS: dict[Fate, str] = {
    "masked": "the model sees a mask",
    "random": "the model sees what is behind the arrow",
    "kept": "the model sees the token itself",
}


def show(look: Look, console: Console | None = None) -> None:
    """Print everything, to stdout unless told otherwise."""
    console = console or Console(width=None if sys.stdout.isatty() else WIDTH)
    plain = console.no_color or console.color_system is None
    parts = [
        Text(look.folder, TITLE),
        _facts(look),
        *(_grid(table) for table in look.tables),
        *(_bars(histogram, look.split) for histogram in look.histograms),
        Text(look.shown, TITLE),
        _legend(look, plain=plain),
        *(_block(block, plain=plain) for block in look.blocks),
    ]
    for number, part in enumerate(parts):
        console.print(*([""] if number else []), part, sep="\n", highlight=False)


def _facts(look: Look) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    for name, value in look.facts:
        grid.add_row(Text(name, QUIET), Text(value))
    return grid


def _grid(table: Table) -> Grid:
    grid = Grid(box=None, padding=(0, 2, 0, 0), title_justify="left", title_style=TITLE)
    grid.add_column(Text(table.title, TITLE))
    for split in ("train", "valid"):
        grid.add_column(Text(split, QUIET), justify="right")
    for name, *values in table.rows:
        grid.add_row(Text(name), *map(Text, values))
    return grid


def _bars(histogram: Histogram, split: str) -> Text:
    """Draw a bar a line, as long as its share of the largest."""
    shown = Text()
    shown.append(f"tokens of {histogram.title}", TITLE)
    shown.append(f"  {split}: {histogram.said}\n", QUIET)
    spans = [bin_.span for bin_ in histogram.bins]
    width = max(map(len, spans))
    most = max(bin_.count for bin_ in histogram.bins)
    for bin_, span in zip(histogram.bins, spans, strict=True):
        whole, rest = divmod(round(bin_.count / most * BAR * 8), 8)
        bar = "█" * whole + EIGHTHS[rest].strip()
        if bin_.count and not bar:
            bar = EIGHTHS[1]
        shown.append(f"{span:>{width}}  ")
        shown.append(f"{bar:<{BAR}}", "blue")
        shown.append(f"  {bin_.count:,}\n", QUIET)
    shown.rstrip()
    return shown


def _legend(look: Look, *, plain: bool) -> Text:
    legend = Text()
    for fate in FATES:
        legend.append_text(_hidden(fate, " token", " other", plain=plain))
        legend.append(f" {fate}: {MEANINGS[fate]}\n", QUIET)
    if look.byte_level:
        legend.append(f" {TIE} more bytes of the character before; ", QUIET)
        legend.append("\\xE7 a byte of no whole character\n", QUIET)
    legend.append(" Blocks, documents and sentences are numbered from 0.", QUIET)
    return legend


def _block(block: Block, *, plain: bool) -> Text:
    shown = Text()
    shown.append(f"block {block.number:,}", TITLE)
    shown.append(f"  {block.summary}", QUIET)
    if block.label:
        shown.append(f"  {block.label}", TITLE)
    for passage in block.passages:
        shown.append(f"\n¶ {passage.origin}\n", "dim italic")
        for token in passage.tokens:
            shown.append_text(_token(token, plain=plain))
    return shown


def _token(token: Token, *, plain: bool) -> Text:
    if token.seen is None:
        return Text(token.text, SPECIAL if token.special else "")
    return _hidden(token.seen.fate, token.text, token.seen.text, plain=plain)


def _hidden(fate: Fate, text: str, seen: str, *, plain: bool) -> Text:
    """Mark a token to predict; the space in front of it stays outside of the mark."""
    space, word = parted(text)
    other = f"→{parted(seen)[1]}" if fate == "random" else ""
    if plain:
        return Text(space + "⟦" + ("=" if fate == "kept" else "") + word + other + "⟧")
    return Text.assemble(space, (word, STYLES[fate]), (other, OTHER))
