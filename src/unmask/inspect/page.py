"""What is shown, as one page (`core/page.py`)."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.page import document
from unmask.core.visible import visible
from unmask.inspect.chart import svg
from unmask.inspect.look import FATES, Block, Histogram, Look, Passage, Table, Token
from unmask.inspect.spelling import TIE, parted

MEANINGS = {
    "masked": "the model sees a mask",
    "random": "the model sees another token",
    "kept": "the model sees the token itself",
}


def write(look: Look, path: Path) -> None:
    """Write the page; folders above it are made. UserError if `path` is a folder."""
    if path.is_dir():
        raise UserError(
            f"--html {path}: is a folder", "name the file to write, such as tokens.html"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, page(look))


def page(look: Look) -> str:
    """The page, which is well-formed XML as well as HTML."""
    return document(
        "unmask.inspect",
        f"{look.folder} – tokens",
        f'<a class="skip" href="#blocks">To the blocks</a>\n{_header(look)}'
        f"<main>\n{_counts(look)}{_lengths(look)}{_blocks(look)}</main>\n"
        '<output id="bar"></output>\n',
    )


def _header(look: Look) -> str:
    facts = _joined(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in look.facts
    )
    return (
        f'<header>\n<p class="eyebrow">unmask tokens</p>\n<h1>{escape(visible(look.folder))}</h1>\n'
        f"<dl>\n{facts}</dl>\n</header>\n"
    )


def _counts(look: Look) -> str:
    tables = _joined(map(_table, look.tables))
    return (
        '<section aria-labelledby="counts">\n<h2 id="counts">Counts</h2>\n'
        f'<div class="tables">\n{tables}</div>\n</section>\n'
    )


def _table(table: Table) -> str:
    rows = _joined(
        f'<tr><th scope="row">{escape(name)}</th><td>{train}</td><td>{valid}</td></tr>'
        for name, train, valid in table.rows
    )
    return (
        f'<table>\n<thead><tr><th scope="col">{escape(table.title)}</th><th scope="col">train</th>'
        f'<th scope="col">valid</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>'
    )


def _lengths(look: Look) -> str:
    figures = _joined(map(_figure, look.histograms))
    return (
        f'<section aria-labelledby="lengths">\n<h2 id="lengths">Lengths <small>in tokens, '
        f'{escape(look.split)}</small></h2>\n<div class="figures">\n{figures}</div>\n</section>\n'
    )


def _figure(histogram: Histogram) -> str:
    rows = _joined(
        f'<tr><th scope="row">{bin_.span}</th><td>{bin_.count:,}</td></tr>'
        for bin_ in histogram.bins
    )
    return (
        f"<figure>\n<figcaption><strong>{histogram.title}</strong> mean {histogram.mean:,.1f}, "
        f"median {histogram.median:,}, longest {histogram.longest:,}</figcaption>\n"
        f"{svg(histogram)}\n<details><summary>numbers</summary><table>\n{rows}</table></details>\n"
        "</figure>"
    )


def _blocks(look: Look) -> str:
    blocks = _joined(map(_block, look.blocks))
    return (
        '<section aria-labelledby="blocks">\n<h2 id="blocks">Blocks</h2>\n'
        f'<p class="which">{escape(look.shown)}</p>\n{_legend(look)}{blocks}</section>\n'
    )


def _legend(look: Look) -> str:
    other = '<span class="seen">other</span>'
    items = [
        f'<li><mark class="{fate}">token{other if fate == "random" else ""}</mark> '
        f"{fate}: {MEANINGS[fate]}</li>"
        for fate in FATES
    ]
    items.append('<li><span class="special">&lt;s&gt;</span> special token</li>')
    if look.byte_level:
        items.append(f"<li><b>{TIE}</b> more bytes of the character before</li>")
        items.append("<li><b>\\xE7</b> a byte of no whole character</li>")
    return (
        f'<div class="legend">\n<ul>\n{_joined(items)}</ul>\n'
        '<label><input type="checkbox" id="seen"/> as the model sees it</label>\n'
        "<p>Point at a token, or walk through a text with the arrow keys, to see its id. Blocks, "
        "documents and sentences are numbered from 0.</p>\n</div>\n"
    )


def _block(block: Block) -> str:
    label = f'<span class="label">{escape(block.label)}</span>' if block.label else ""
    name = f"block-{block.number}"
    return (
        f'<article aria-labelledby="{name}">\n<h3 id="{name}">Block {block.number:,}{label}</h3>\n'
        f'<p class="summary">{escape(block.summary)}</p>\n'
        f"{_joined(map(_passage, block.passages))}</article>"
    )


def _passage(passage: Passage) -> str:
    origin = escape(passage.origin)
    text = "".join(map(_token, passage.tokens))
    return (
        f'<p class="origin">{origin}</p>\n<p class="text" dir="auto" tabindex="0" '
        f'role="group" aria-label="{origin}">{text}</p>'
    )


def _token(token: Token) -> str:
    """Write one token; the space in front of it stays outside, as it does between words."""
    space, word = parted(token.text)
    said = escape(f"id {token.id}  {visible(token.token)}")
    if token.seen is None:
        if not token.text.strip():
            space, word = "", token.text
        kind = ' class="special"' if token.special else ""
        return f'{space}<span{kind} title="{said}">{escape(word)}</span>'
    seen = token.seen
    sees = escape(f"id {seen.id}  {visible(seen.token)}")
    return (
        f'{space}<mark class="{seen.fate}" title="{said}; {seen.fate}: the model sees {sees}">'
        f'<span class="target">{escape(word)}</span>'
        f'<span class="seen">{escape(parted(seen.text)[1])}</span></mark>'
    )


def _joined(parts: Iterable[str]) -> str:
    return "".join(f"{part}\n" for part in parts)
