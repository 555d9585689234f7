"""The page of a run in a real browser: it is whole by itself, and says what is pointed at."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from unmask.report.config import ReportConfig
from unmask.report.run import run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def runs(*folders):
    """The stand-in runs of the unit tests."""
    path = Path(__file__).parents[1].joinpath("unit", "report", *folders, "conftest.py")
    spec = importlib.util.spec_from_file_location("report_runs", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"needs a browser: none of {', '.join(BROWSERS)} is installed")
    with playwright.sync_playwright() as started:
        # A container's root has no sandbox of its own; the page is ours.
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def page(browser, tmp_path, request):
    """The page of a pretraining."""
    made = runs()
    folder = made.write_run(tmp_path / "run", made.whole_run())
    yield from opened(browser, folder, request.param)


@pytest.fixture(params=["light", "dark"])
def finetuned(browser, tmp_path, request):
    """The page of a fine-tuning."""
    made = runs("finetuning")
    folder = made.write_run(tmp_path / "run", made.whole_run(), made.FACTS, made.DETAILS)
    yield from opened(browser, folder, request.param)


@pytest.fixture(params=["light", "dark"])
def several(browser, tmp_path, request):
    """The page of several fine-tunings."""
    folder = runs("finetuning").write_many(tmp_path / "several")
    yield from opened(browser, folder, request.param)


def opened(browser, folder, scheme):
    """Open the page of a run, and see that nothing goes wrong while it is open."""
    run(ReportConfig(run=folder))
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page.troubles = []
    page.on("console", lambda message: page.troubles.append(message.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            asked.url.startswith(("file://", "data:"))
            or page.troubles.append(f"request {asked.url}")
        ),
    )
    page.goto(f"file://{folder / 'report.html'}")
    yield page
    assert page.troubles == []
    page.close()


def legend(page, title):
    figure = page.locator("figure", has_text=title).first
    return figure.locator("li b").all_inner_texts()


def test_every_chart_is_there_and_visible(page):
    assert page.locator("figure").count() == 11
    for chart in page.locator("figure svg").all():
        box = chart.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 100
        assert chart.get_attribute("aria-label")
    for line in page.locator("figure svg path.line:not(.beside)").all():
        style = line.evaluate("path => getComputedStyle(path).stroke")
        assert style not in ("none", "")
        assert style != page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_nothing_is_wider_than_the_window(page):
    fits_all_windows(page)


def fits_all_windows(page):
    for width in (1280, 700, 360):
        page.set_viewport_size({"width": width, "height": 800})

        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pointing_at_a_curve_says_its_values_there(page):
    assert legend(page, "Loss over steps") == ["8", "7"]
    chart = page.locator("figure svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()

    # The axis goes from step 0 at 52 to step 200 at 548 of 560 units.
    at = (52 + 0.5 * (548 - 52)) / 560
    page.mouse.move(box["x"] + at * box["width"], box["y"] + box["height"] / 2)

    assert legend(page, "Loss over steps") == ["9", "8"]
    assert page.locator("figure output").first.inner_text() == "step 100"
    assert page.locator("figure svg .cursor").first.get_attribute("visibility") == "visible"
    page.mouse.move(1, 1)
    assert legend(page, "Loss over steps") == ["8", "7"]


def test_arrow_keys_walk_along_a_curve(page):
    page.locator("figure svg").first.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("figure output").first.inner_text() == "step 200"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")

    assert page.locator("figure output").first.inner_text() == "step 100"
    assert legend(page, "Loss over steps") == ["9", "8"]
    page.keyboard.press("Escape")
    assert legend(page, "Loss over steps") == ["8", "7"]


def test_script_and_page_say_numbers_alike(page):
    from unmask.report.scale import said

    for number in (0, 2.16874, 12345.6, 999.96, 6e-4, 1.5e-5, 0.5, 100, -3.5, 1e20):
        assert page.evaluate(f"said({number})") == said(number)


def test_numbers_and_settings_fold_out(page):
    page.locator("summary", has_text="numbers").first.click()
    assert page.locator("figure table").first.is_visible()
    page.locator("summary", has_text="config.toml").click()

    assert "wiki" in page.locator("pre").first.inner_text()


def test_pictures_of_a_fine_tuning_are_visible_in_both_themes(finetuned):
    assert finetuned.locator("figure").count() == 8
    card = "getComputedStyle(document.querySelector('figure')).backgroundColor"
    ground = finetuned.evaluate(card)
    for picture in finetuned.locator("figure svg").all():
        box = picture.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 100
        assert picture.get_attribute("aria-label")
    for shape in finetuned.locator("rect.cell, rect.bar").all():
        assert shape.evaluate("shape => getComputedStyle(shape).fill") not in ("none", ground)
    strongest = finetuned.locator("text.most").first
    assert strongest.evaluate("text => getComputedStyle(text).fill") == ground


def test_cells_of_the_matrix_hold_their_numbers(finetuned):
    cells = finetuned.locator("rect.cell").all()
    numbers = finetuned.locator("text.few, text.half, text.most").all()
    for cell, number in zip(cells, numbers, strict=True):
        outer, inner = cell.bounding_box(), number.bounding_box()
        assert outer["x"] < inner["x"]
        assert inner["x"] + inner["width"] < outer["x"] + outer["width"]
        assert outer["y"] < inner["y"]
        assert inner["y"] + inner["height"] < outer["y"] + outer["height"]


def test_curves_beside_other_pictures_still_say_their_values(finetuned):
    finetuned.locator("figure svg[data-across]").nth(1).focus()
    finetuned.keyboard.press("ArrowLeft")
    finetuned.keyboard.press("ArrowLeft")

    figure = finetuned.locator("figure", has_text="mcc on dev").first
    assert figure.locator("output").inner_text() == "step 200"
    assert legend(finetuned, "mcc on dev") == ["0.5"]


def test_a_fine_tuning_is_never_wider_than_the_window(finetuned):
    fits_all_windows(finetuned)


def test_several_fine_tunings_are_never_wider_than_the_window(several):
    fits_all_windows(several)


def test_runs_stand_in_the_row_of_their_setting(several):
    picture = several.locator("figure svg.still").first
    names = picture.locator("text", has_text="lr-").all()
    dots = picture.locator("circle").all()
    assert [len(names), len(dots)] == [2, 6]
    for number, dot in enumerate(dots):
        name, place = names[number // 3].bounding_box(), dot.bounding_box()
        assert name["x"] + name["width"] < place["x"]
        assert abs(place["y"] + place["height"] / 2 - name["y"] - name["height"] / 2) < 20
