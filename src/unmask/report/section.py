"""What stands on a page: curves, other pictures and tables, under headings."""

import dataclasses
from typing import TypeAlias

from unmask.report.chart import Chart

Row: TypeAlias = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """Words and numbers in rows; the first cell of each names it."""

    head: Row
    rows: tuple[Row, ...]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A drawing that is no curve."""

    title: str
    drawing: str
    """SVG with a text alternative."""
    numbers: Table
    """The same to read."""
    about: str = ""
    legend: tuple[tuple[str, str], ...] = ()
    """Classes of page.css, and what is drawn in them."""
    wide: bool = False
    """Needs the whole width of the page."""


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """Some pictures under one heading; `missing` says why one is not there."""

    title: str
    pictures: tuple[Chart | Picture, ...]
    missing: tuple[str, ...] = ()
    table: Table | None = None
