"""A run as one page (`core/page.py`)."""

from collections.abc import Iterable
from html import escape

import numpy as np

from unmask.core.page import document
from unmask.report import scale
from unmask.report.chart import Chart, Curve, is_log, svg
from unmask.report.history import Event
from unmask.report.labels import xml
from unmask.report.section import Picture, Section, Table
from unmask.report.summary import Facts, Summary

ROWS = 24
"""Of the numbers under a picture: enough to read, the whole lies in metrics.jsonl."""
EVENTS = 200
NARROW = 5
"""Columns of a table that half the width of the page is enough for."""


def page(
    name: str,
    summary: Summary,
    sections: Iterable[Section],
    events: list[Event],
    settings: Iterable[tuple[str, str]],
) -> str:
    """The page; `settings` are files of the run folder, by name, as they are."""
    body = (
        f"{_header(name, summary)}<main>\n{_results(summary.results)}"
        f"{_joined(map(_section, sections))}{_events(events)}{_settings(settings)}</main>\n"
    )
    return document("unmask.report", f"{name} – run", body)


def _header(name: str, summary: Summary) -> str:
    facts = _joined(
        f"<div><dt>{xml(label)}</dt><dd>{xml(value)}</dd></div>" for label, value in summary.facts
    )
    return (
        f'<header>\n<p class="eyebrow">unmask {summary.kind}, {xml(summary.state)}</p>\n'
        f"<h1>{xml(name)}</h1>\n<dl>\n{facts}</dl>\n</header>\n"
    )


def _results(results: Facts) -> str:
    if not results:
        return '<p class="missing">Nothing was measured yet.</p>\n'
    rows = _joined(
        f'<tr><th scope="row">{xml(label)}</th><td>{xml(value)}</td></tr>'
        for label, value in results
    )
    return (
        '<section aria-labelledby="results">\n<h2 id="results">Results</h2>\n'
        f'<table class="results">\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n'
    )


def _section(section: Section) -> str:
    key = section.title.partition(" ")[0].lower()
    figures = _joined(map(_drawn, section.pictures))
    missing = _joined(f'<p class="missing">{xml(line)}</p>' for line in section.missing)
    table = f"{_open(section.table, key)}\n" if section.table else ""
    box = f'<div class="figures">\n{table}{figures}</div>\n' if table or figures else ""
    return (
        f'<section aria-labelledby="{key}">\n<h2 id="{key}">{xml(section.title)}</h2>\n'
        f"{box}{missing}</section>"
    )


def _open(table: Table, key: str) -> str:
    """A table that stands open; a long one is rolled."""
    wide = " wide" if len(table.head) > NARROW else ""
    return (
        f'<div class="rows{wide}" tabindex="0" role="region" aria-labelledby="{key}">\n'
        f"<table>\n{_rows(table)}</table>\n</div>"
    )


def _drawn(picture: Chart | Picture) -> str:
    return _figure(picture) if isinstance(picture, Chart) else _picture(picture)


def _picture(picture: Picture) -> str:
    items = _joined(f'<li><i class="{look}"></i>{xml(name)}</li>' for look, name in picture.legend)
    legend = f"<ul>\n{items}</ul>\n" if items else ""
    wide = ' class="wide"' if picture.wide else ""
    return (
        f"<figure{wide}>\n{_caption(picture.title, picture.about)}{legend}"
        f'<div class="roll" tabindex="0" role="region" aria-label="{xml(picture.title)}">'
        f"{picture.drawing}</div>\n"
        f"{_folded(picture.numbers)}</figure>"
    )


def _figure(chart: Chart) -> str:
    about = [chart.about] if chart.about else []
    about += ["logarithmic"] if is_log(chart) else []
    return (
        f"<figure>\n{_caption(chart.title, ', '.join(about))}{_legend(chart)}{svg(chart)}\n"
        f"{_folded(_numbers(chart))}</figure>"
    )


def _caption(title: str, about: str) -> str:
    return (
        f"<figcaption><strong>{xml(title)}</strong> "
        f'<span class="about">{xml(about)}</span></figcaption>\n'
    )


def _legend(chart: Chart) -> str:
    """Name the curves, each with its last value until page.js says another."""
    items = _joined(
        f'<li><i class="{curve.look}"></i>{xml(curve.name)} '
        f"<b>{_last(curve)}{escape(chart.unit)}</b></li>"
        for curve in chart.named
    )
    gone = (
        f'<li class="extra"><i class="a beside"></i>{xml(chart.faint)}</li>\n'
        if len(chart.named) < len(chart.curves)
        else ""
    )
    kinds = dict.fromkeys(event.kind for _, event in chart.events)
    marks = _joined(f'<li class="extra"><i class="mark {kind}"></i>{kind}</li>' for kind in kinds)
    end = f'<li class="place"><output>{chart.across[:-1]}: last</output></li>\n'
    return f"<ul>\n{items}{gone}{marks}{end}</ul>\n"


def _last(curve: Curve) -> str:
    values = curve.y_N[np.isfinite(curve.y_N)]
    return scale.said(float(values[-1]))


def _numbers(chart: Chart) -> Table:
    """The picture as a table: some of the rows where there are many."""
    places = np.unique(np.concatenate([curve.x_N for curve in chart.named]))
    some = np.unique(np.linspace(0, len(places) - 1, min(ROWS, len(places))).round().astype(int))
    return Table(
        (chart.across, *(curve.name for curve in chart.named)),
        tuple(
            (scale.said(place), *(_at(curve, place) for curve in chart.named))
            for place in places[some]
        ),
    )


def _folded(table: Table) -> str:
    return (
        f"<details>\n<summary>numbers</summary>\n<div><table>\n{_rows(table)}</table></div>\n"
        "</details>\n"
    )


def _rows(table: Table) -> str:
    head = "".join(f'<th scope="col">{xml(name)}</th>' for name in table.head)
    rows = _joined(
        f'<tr><th scope="row">{xml(first)}</th>'
        f"{''.join(f'<td>{xml(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in table.rows
    )
    return f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n"


def _at(curve: Curve, place: float) -> str:
    """The newest value at a place, as lines go; nothing before the first."""
    at = int(np.searchsorted(curve.x_N, place, side="right")) - 1
    return scale.said(float(curve.y_N[at])) if at >= 0 else ""


def _events(events: list[Event]) -> str:
    if not events:
        return ""
    rows = _joined(
        f'<tr><th scope="row"><i class="mark {event.kind}"></i>{event.kind}</th>'
        f"<td>{event.step:,}</td><td>{scale.said(event.hours)}</td><td>{xml(event.said)}</td></tr>"
        for event in events[-EVENTS:]
    )
    more = f" <small>the last {EVENTS} of {len(events):,}</small>" if len(events) > EVENTS else ""
    return (
        f'<section aria-labelledby="events">\n<h2 id="events">Events{more}</h2>\n'
        '<table class="events">\n<thead><tr><th scope="col">what</th><th scope="col">step</th>'
        f'<th scope="col">hours</th><th scope="col"></th></tr></thead>\n<tbody>\n{rows}</tbody>\n'
        "</table>\n</section>\n"
    )


def _settings(settings: Iterable[tuple[str, str]]) -> str:
    folded = _joined(
        f"<details>\n<summary>{xml(name)}</summary>\n<pre>{_lines(text)}</pre>\n</details>"
        for name, text in settings
    )
    return (
        '<section aria-labelledby="settings">\n<h2 id="settings">Settings</h2>\n'
        f'<div class="settings">\n{folded}</div>\n</section>\n'
    )


def _lines(text: str) -> str:
    return "\n".join(map(xml, text.splitlines()))


def _joined(parts: Iterable[str]) -> str:
    return "".join(f"{part}\n" for part in parts)
