"""Plain text: a document is what stands between blank lines, or the whole file."""

from collections.abc import Iterable, Iterator

from unmask.corpus.inputs.formats import cuts
from unmask.corpus.inputs.formats.entries import Entry, Where


def txt(lines: Iterable[str], where: Where, *, at_blank_lines: bool) -> Iterator[Entry]:
    """Yield the documents; UserError for one that is too long."""
    document: list[str] = []
    start, characters = 1, 0
    for number, line in enumerate(lines, start=1):
        if not at_blank_lines or not line.isspace():
            document.append(line)
            characters += len(line)
        elif document:
            yield Entry("line", start, "".join(document))
            document, characters = [], 0
        if not document:
            start = number + 1
        if characters > cuts.LONGEST:
            raise cuts.too_long(where("line", start))
    if document:
        yield Entry("line", start, "".join(document))
