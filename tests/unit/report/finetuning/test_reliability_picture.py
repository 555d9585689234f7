import pytest

from unmask.finetune.metrics.calibration import Bin, Calibration
from unmask.report.finetuning.reliability import COUNTS, HEIGHT, reliability
from unmask.report.frame import BOTTOM, LEFT, RIGHT, TOP

from .conftest import drawing, titles

BINS = (
    Bin(lower=0.4, upper=0.5, count=40, confidence=0.45, accuracy=0.25),
    Bin(lower=0.9, upper=1.0, count=1600, confidence=0.95, accuracy=0.9375),
)
FOUND = Calibration(ece=0.0512, brier=0.314159, bins=BINS)


def bars(svg, look):
    """Left edge, width and height of each."""
    return [
        [float(bar.get(name)) for name in ("x", "width", "height")]
        for bar in svg.findall(f"./rect[@class='bar {look}']")
    ]


def test_a_bar_is_as_high_as_its_bin_is_accurate_and_lies_where_its_bin_does():
    found = bars(drawing(reliability(FOUND)), "a")

    across, up = RIGHT - LEFT, BOTTOM - TOP
    for (x, wide, high), one in zip(found, BINS, strict=True):
        assert x == pytest.approx(LEFT + one.lower * across + 1, abs=0.06)
        assert x + wide == pytest.approx(LEFT + one.upper * across - 1, abs=0.11)
        assert high == pytest.approx(one.accuracy * up, abs=0.06)


def test_a_tick_tells_where_the_bar_would_end_if_confidence_were_right():
    ticks = drawing(reliability(FOUND)).findall("./line[@class='wanted b']")

    heights = [(BOTTOM - float(tick.get("y1"))) / (BOTTOM - TOP) for tick in ticks]
    assert heights == pytest.approx([0.45, 0.95], abs=1e-3)
    assert [tick.get("y1") for tick in ticks] == [tick.get("y2") for tick in ticks]


def test_the_ideal_is_the_diagonal():
    line = drawing(reliability(FOUND)).find("./line[@class='ideal']")

    ends = [float(line.get(name)) for name in ("x1", "y1", "x2", "y2")]
    assert ends == [LEFT, BOTTOM, RIGHT, TOP]


def test_bins_have_their_number_of_examples_below():
    svg = drawing(reliability(FOUND))

    highs = [high for _, _, high in bars(svg, "f")]
    assert highs[1] == COUNTS[1] - COUNTS[0]
    assert highs[0] == pytest.approx(highs[1] / 40, abs=0.06)
    assert {"40", "1.6k"} <= {text.text for text in svg.iter("text")}
    assert float(svg.get("viewBox").split()[3]) == HEIGHT


def test_numbers_and_words_say_the_same():
    picture = reliability(FOUND)

    assert picture.about == "calibration error 0.051, Brier score 0.314"
    assert picture.numbers.rows == (
        ("0.40 to 0.50", "40", "0.450", "0.250"),
        ("0.90 to 1.00", "1,600", "0.950", "0.938"),
    )
    svg = drawing(picture)
    assert "confidence 0.95: accuracy 0.94, 1,600 examples" in svg.get("aria-label")
    assert titles(svg.findall("./rect[@class='bar a']"))[0] == (
        "0.40 to 0.50: 40 examples, confidence 0.450, accuracy 0.250"
    )
