import re
from collections import Counter

import numpy as np
import pytest

from unmask.report.finetuning.matrix import INKS, LETTERS, MOST, NARROW, NUMBERED, confused, matrix
from unmask.report.labels import width

from .conftest import CONFUSION, LABELS, drawing, titles

RNG = np.random.default_rng(5)


def cells(svg):
    return svg.findall("./rect[@class='cell']")


def numbers(svg):
    """Numbers in cells, row by row as they are drawn."""
    inks = ("none", "few", "half", "most")
    return [text.text for text in svg.iter("text") if text.get("class") in inks]


def test_every_cell_has_its_number_and_the_shade_of_its_share():
    svg = drawing(matrix(LABELS, np.array(CONFUSION)))

    assert numbers(svg) == ["8", "1", "1", "0", "6", "0", "2", "0", "2"]
    shades = [float(cell.get("fill-opacity")) ** 2 for cell in cells(svg)]
    assert shades == pytest.approx([0.8, 0.1, 0.1, 1, 0.5, 0.5], abs=2e-3)
    assert titles(cells(svg)) == [
        "bad, told right: 8 (80.0% of its row)",
        "bad, taken for good: 1 (10.0% of its row)",
        "bad, taken for so so: 1 (10.0% of its row)",
        "good, told right: 6 (100.0% of its row)",
        "so so, taken for bad: 2 (50.0% of its row)",
        "so so, told right: 2 (50.0% of its row)",
    ]


def test_rows_are_gold_and_columns_are_predicted():
    svg = drawing(matrix(["a", "b"], np.array([[0, 7], [0, 0]])))

    (cell,) = cells(svg)
    edge = svg.find("./rect[@class='edge']")
    assert float(cell.get("x")) > float(edge.get("x")) + float(cell.get("width"))
    assert float(cell.get("y")) < float(edge.get("y")) + float(cell.get("height"))


@pytest.mark.parametrize("classes", [2, 3, 8, 9, 20, 21, 50, MOST])
def test_all_stays_within_the_picture_and_nothing_overlaps(classes):
    labels = [f"a label that is long {number}" for number in range(classes)]
    counts_CC = RNG.integers(1, 10**6, (classes, classes))

    picture = matrix(labels, counts_CC)

    svg = drawing(picture)
    _, _, wide, high = map(float, svg.get("viewBox").split())
    assert picture.wide == (classes > NARROW)
    places = [tuple(float(c.get(k)) for k in ("x", "y", "width", "height")) for c in cells(svg)]
    assert len({(x, y) for x, y, _, _ in places}) == classes**2
    assert all(x >= 0 and x + w <= wide and y + h <= high for x, y, w, h in places)
    named = [text for text in svg.iter("text") if text.find("./title") is not None]
    assert Counter(titles(named)) == Counter([*labels, *labels])
    assert all("".join(text.itertext()).endswith("…") for text in named)
    for text in named[::2]:
        assert float(text.get("x")) >= width("x" * LETTERS)
    if classes <= NUMBERED:
        assert len(numbers(svg)) == classes**2
        assert max(map(width, numbers(svg))) < places[0][2]
    else:
        assert numbers(svg) == []


def test_numbers_can_be_read_on_every_shade_of_both_themes():
    """Contrast of 4 and more between a number and its cell (WCAG 2.1, relative luminance)."""
    from importlib import resources

    css = resources.files("unmask.report").joinpath("page.css").read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in themes(css))
    for theme in (light, light | dark):
        colour = {name: np.array(list(bytes.fromhex(theme[name][1:]))) / 255 for name in theme}
        for shade in np.linspace(0, 1, 101):
            ink = "ink" if shade < INKS[0] else "on-half" if shade < INKS[1] else "card"
            cell = (1 - shade) * colour["card"] + shade * colour["deep"]
            assert contrast(cell, colour[ink]) > 4


def themes(css):
    light, _, rest = css.partition("@media (prefers-color-scheme: dark)")
    return light, rest.partition("* {")[0]


def contrast(one, other):
    def luminance(rgb):
        linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_words_name_the_worst_confusions():
    svg = drawing(matrix(LABELS, np.array(CONFUSION)))

    assert svg.get("aria-label") == (
        "Confusion matrix of 3 classes: 16 of 20 right. Most often confused: so so taken for bad 2 "
        "times; bad taken for good 1 times; bad taken for so so 1 times."
    )


def test_the_table_has_all_numbers_or_the_worst_confusions_of_many_classes():
    few = matrix(LABELS, np.array(CONFUSION)).numbers
    many_CC = np.diag(np.arange(30)) + 5 * np.eye(30, k=1, dtype=np.int64)
    many = matrix([f"c{number}" for number in range(30)], many_CC).numbers

    assert few.head[1:] == ("bad", "good", "so so")
    assert few.rows[0] == ("bad", "8", "1", "1")
    assert many.head == ("gold", "taken for", "times")
    assert many.rows[0] == ("c0", "c1", "5")
    assert len(many.rows) == 24


def test_confusions_leave_out_what_is_right_and_what_never_happened():
    counts_CC = np.array([[9, 0, 4], [5, 9, 0], [0, 0, 9]])

    assert confused("abc", counts_CC) == [("b", "a", 5), ("a", "c", 4)]


def test_a_class_without_examples_has_an_empty_row():
    svg = drawing(matrix(["a", "b"], np.array([[3, 1], [0, 0]])))

    assert len(cells(svg)) == 2


def test_hostile_labels_are_text():
    picture = matrix(["<script>&\"'", "\u202eb"], np.array([[1, 2], [3, 4]]))

    svg = drawing(picture)
    assert "<script>&\"', taken for \\u202Eb: 2" in titles(cells(svg))[1]
    assert "script" not in {part.tag for part in svg.iter()}
