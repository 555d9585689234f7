"""A run as one page (`core/page.py`)."""

from collections.abc import Iterable
from html import escape

import numpy as np

from unmask.core.page import document
from unmask.core.visible import visible
from unmask.report import scale
from unmask.report.chart import Chart, Curve, is_log, svg
from unmask.report.figures import Section
from unmask.report.history import Event
from unmask.report.summary import Facts, Summary

ROWS = 24
"""Of the numbers under a picture: enough to read, the whole lies in metrics.jsonl."""
EVENTS = 200


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
        f"<div><dt>{_text(label)}</dt><dd>{_text(value)}</dd></div>"
        for label, value in summary.facts
    )
    return (
        f'<header>\n<p class="eyebrow">unmask run, {_text(summary.state)}</p>\n'
        f"<h1>{_text(name)}</h1>\n<dl>\n{facts}</dl>\n</header>\n"
    )


def _results(results: Facts) -> str:
    if not results:
        return '<p class="missing">Nothing was measured yet.</p>\n'
    rows = _joined(
        f'<tr><th scope="row">{_text(label)}</th><td>{_text(value)}</td></tr>'
        for label, value in results
    )
    return (
        '<section aria-labelledby="results">\n<h2 id="results">Results</h2>\n'
        f'<table class="results">\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n'
    )


def _section(section: Section) -> str:
    key = section.title.lower()
    figures = _joined(map(_figure, section.charts))
    missing = _joined(f'<p class="missing">{escape(line)}</p>' for line in section.missing)
    box = f'<div class="figures">\n{figures}</div>\n' if figures else ""
    return (
        f'<section aria-labelledby="{key}">\n<h2 id="{key}">{section.title}</h2>\n'
        f"{box}{missing}</section>"
    )


def _figure(chart: Chart) -> str:
    about = [chart.about] if chart.about else []
    about += ["logarithmic"] if is_log(chart) else []
    return (
        f"<figure>\n<figcaption><strong>{_text(chart.title)}</strong> "
        f'<span class="about">{escape(", ".join(about))}</span></figcaption>\n'
        f"{_legend(chart)}{svg(chart)}\n{_numbers(chart)}</figure>"
    )


def _legend(chart: Chart) -> str:
    """Name the curves, each with its last value until page.js says another."""
    items = _joined(
        f'<li><i class="{curve.look}"></i>{_text(curve.name)} '
        f"<b>{_last(curve)}{escape(chart.unit)}</b></li>"
        for curve in chart.named
    )
    gone = (
        '<li class="extra"><i class="a beside"></i>trained again</li>\n'
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


def _numbers(chart: Chart) -> str:
    """The picture as a table: some of the rows where there are many."""
    places = np.unique(np.concatenate([curve.x_N for curve in chart.named]))
    some = np.unique(np.linspace(0, len(places) - 1, min(ROWS, len(places))).round().astype(int))
    head = "".join(f'<th scope="col">{_text(curve.name)}</th>' for curve in chart.named)
    rows = _joined(
        f'<tr><th scope="row">{scale.said(place)}</th>'
        f"{''.join(f'<td>{_at(curve, place)}</td>' for curve in chart.named)}</tr>"
        for place in places[some]
    )
    return (
        f"<details>\n<summary>numbers</summary>\n<div><table>\n<thead><tr>"
        f'<th scope="col">{chart.across}</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n'
        "</table></div>\n</details>\n"
    )


def _at(curve: Curve, place: float) -> str:
    """The newest value at a place, as lines go; nothing before the first."""
    at = int(np.searchsorted(curve.x_N, place, side="right")) - 1
    return scale.said(float(curve.y_N[at])) if at >= 0 else ""


def _events(events: list[Event]) -> str:
    if not events:
        return ""
    rows = _joined(
        f'<tr><th scope="row"><i class="mark {event.kind}"></i>{event.kind}</th>'
        f"<td>{event.step:,}</td><td>{scale.said(event.hours)}</td><td>{_text(event.said)}</td></tr>"
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
        f"<details>\n<summary>{_text(name)}</summary>\n<pre>{_lines(text)}</pre>\n</details>"
        for name, text in settings
    )
    return (
        '<section aria-labelledby="settings">\n<h2 id="settings">Settings</h2>\n'
        f'<div class="settings">\n{folded}</div>\n</section>\n'
    )


def _lines(text: str) -> str:
    return "\n".join(map(_text, text.splitlines()))


def _text(text: str) -> str:
    return escape(visible(text))


def _joined(parts: Iterable[str]) -> str:
    return "".join(f"{part}\n" for part in parts)
