import numpy as np
import pytest

from unmask.report.finetuning.scatter import GROUPS, scatter

from .conftest import drawing

RNG = np.random.default_rng(7)


def points(svg):
    """Places of the dots, [N, 2]."""
    dots = svg.findall("./circle")
    return np.array([[float(dot.get(name)) for name in ("cx", "cy")] for dot in dots])


def test_dots_lie_at_their_gold_and_predicted_numbers():
    gold_N, predicted_N = RNG.uniform(0, 5, 300), RNG.uniform(-1, 7, 300)

    svg = drawing(scatter(gold_N, predicted_N))

    x_N, y_N = points(svg).T
    for values_N, places_N, sign in ((gold_N, x_N, 1), (predicted_N, y_N, -1)):
        slope, start = np.polyfit(values_N, places_N, 1)
        assert slope * sign > 0
        assert places_N == pytest.approx(slope * values_N + start, abs=0.06)
    line = svg.find("./line[@class='ideal']")
    assert float(line.get("x1")) < float(line.get("x2"))
    assert float(line.get("y1")) > float(line.get("y2"))


def test_on_the_line_both_numbers_are_the_same():
    values_N = np.linspace(-3, 3, 9)

    svg = drawing(scatter(values_N, values_N))

    x1, y1, x2, y2 = (
        float(svg.find("./line[@class='ideal']").get(name)) for name in ("x1", "y1", "x2", "y2")
    )
    for x, y in points(svg):
        assert (x - x1) / (x2 - x1) == pytest.approx((y - y1) / (y2 - y1), abs=1e-3)


def test_the_table_groups_by_gold_number_and_counts_everyone():
    gold_N = np.array([0.0, 0.0, 5.0, 4.9, 2.5])

    rows = scatter(gold_N, np.array([1.0, 3.0, 4.0, 5.0, 2.0])).numbers.rows

    assert rows == (
        ("0 to 0.5", "2", "2", "1", "3"),
        ("2.5 to 3", "1", "2", "2", "2"),
        ("4.5 to 5", "2", "4.5", "4", "5"),
    )
    many = scatter(RNG.normal(size=999), RNG.normal(size=999)).numbers.rows
    assert sum(int(row[1]) for row in many) == 999
    assert len(many) <= GROUPS


@pytest.mark.parametrize("value", [0.0, 2.5, -1e9])
def test_one_number_alone_can_be_drawn(value):
    svg = drawing(scatter(np.array([value]), np.array([value])))

    assert len(points(svg)) == 1
    assert svg.get("aria-label").startswith("1 examples: gold numbers from ")


def test_labels_of_the_axes_can_be_told_apart():
    svg = drawing(scatter(np.arange(6.0), np.arange(6.0) * 1.1))

    assert {"gold", "predicted"} <= {text.text for text in svg.iter("text")}
