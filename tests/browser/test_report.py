"""The page of a run in a real browser: it is whole by itself, and says what is pointed at."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from unmask.report.config import ReportConfig
from unmask.report.run import run

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def runs():
    """The stand-in runs of the unit tests."""
    path = Path(__file__).parents[1] / "unit" / "report" / "conftest.py"
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
    """The page of a run, and what went wrong while it was open."""
    made = runs()
    folder = made.write_run(tmp_path / "run", made.whole_run())
    run(ReportConfig(run=folder))
    page = browser.new_page(color_scheme=request.param, viewport={"width": 1280, "height": 900})
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
