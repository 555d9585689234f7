import pytest

from unmask.finetune.metrics.spread import Spread
from unmask.report.finetuning.dots import Dot, Setting, dots

from .conftest import drawing, titles


def setting(name, scores, interval=(None, None), model=None):
    ordered = sorted(scores)
    middle = ordered[len(scores) // 2]
    spread = Spread(len(scores), middle, 0.0, ordered[0], ordered[-1], *interval)
    found = (Dot(f"{name}-{n}", score, n == model) for n, score in enumerate(scores))
    return Setting(name, spread, tuple(found))


def places(svg, look):
    return [
        (float(dot.get("cx")), float(dot.get("cy")))
        for dot in svg.findall(f"./circle[@class='dot {look}']")
    ]


def test_a_dot_lies_at_its_score_in_the_row_of_its_setting():
    svg = drawing(dots("f1", [setting("one", [0.2, 0.6, 0.4]), setting("two", [0.8], model=0)]))

    (x1, y1), (x2, y2), (x3, y3) = places(svg, "a")
    ((x4, y4),) = places(svg, "b")
    assert x2 - x1 == pytest.approx(2 * (x3 - x1), abs=0.2)
    assert x4 - x1 == pytest.approx(3 * (x3 - x1), abs=0.2)
    assert y1 < y2 < y3 < y4
    said = ["one-0: 0.2", "one-1: 0.6", "one-2: 0.4", "two-0: 0.8"]
    assert titles(svg.findall("./circle")) == said


def test_runs_of_the_same_score_stay_apart():
    found = places(drawing(dots("f1", [setting("one", [0.5] * 20)])), "a")

    assert len(set(found)) == 20


def test_median_and_interval_are_where_they_should_be():
    svg = drawing(dots("f1", [setting("one", [0.2, 0.6, 0.4], (0.3, 0.5))]))

    (x1, _), (x2, _), (x3, _) = places(svg, "a")
    assert float(svg.find("./line[@class='median']").get("x1")) == pytest.approx(x3, abs=0.1)
    band = svg.find("./rect[@class='band a']")
    left, wide = float(band.get("x")), float(band.get("width"))
    assert left == pytest.approx((x1 + x3) / 2, abs=0.2)
    assert left + wide == pytest.approx((x3 + x2) / 2, abs=0.2)


def test_an_interval_far_beyond_the_runs_is_cut_and_that_is_said():
    near = dots("f1", [setting("one", [0.5, 0.6], (0.48, 0.62))])
    far = dots("f1", [setting("one", [0.5, 0.6], (-9.0, 11.0))])

    assert [name for _, name in near.legend][-1] == "95 % interval of the mean"
    assert [name for _, name in far.legend][-1] == "95 % interval of the mean, cut at the edge"
    left, right = (x for x, _ in places(drawing(far), "a"))
    assert right - left > 150


def test_one_run_alone_has_no_interval():
    picture = dots("f1", [setting("all runs", [0.5])])

    assert [name for _, name in picture.legend] == ["run", "the model", "median"]
    assert drawing(picture).find("./rect") is None


def test_numbers_and_words_name_every_run():
    picture = dots("f1", [setting("one", [0.2, 0.6, 0.4]), setting("<two>", [0.8])])

    assert picture.numbers.rows == (
        ("one-0", "0.2"),
        ("one-1", "0.6"),
        ("one-2", "0.4"),
        ("<two>-0", "0.8"),
    )
    assert drawing(picture).get("aria-label") == (
        "f1 on dev. one: median 0.4, 3 runs from 0.2 to 0.6; <two>: median 0.8, 1 runs from 0.8 to "
        "0.8."
    )
