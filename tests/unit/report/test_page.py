import base64
import hashlib
import json
import re
from xml.etree import ElementTree

import pytest

from unmask.core.errors import UserError
from unmask.report.config import ReportConfig
from unmask.report.run import report, run

from .conftest import activations, event, scores, train, valid, whole_run, write_run


def tree(html):
    """A page that is well-formed XML is read alike by every parser."""
    assert html.startswith("<!DOCTYPE html>\n<html ")
    return ElementTree.fromstring(html.partition("\n")[2])


def figures(html):
    """Every picture by its title."""
    return {figure.find("./figcaption/strong").text: figure for figure in tree(html).iter("figure")}


def said(figure):
    return figure.find("./svg").get("aria-label")


def values(figure):
    """The curves as numbers, as page.js reads them."""
    paths = [path for path in figure.find("./svg").iter("path") if path.get("data-x")]
    return [
        tuple([float(n) for n in p.get(k).split()] for k in ("data-x", "data-y")) for p in paths
    ]


def table(html, title):
    """Rows of the table of results."""
    rows = tree(html).iterfind(f".//table[@class='{title}']/tbody/tr")
    return {row.find("./th").text: [cell.text for cell in row.iterfind("./td")] for row in rows}


def test_a_run_has_a_picture_of_everything_it_wrote_down(folder):
    found = figures(report(folder))

    assert list(found) == [
        "Loss over steps",
        "Loss over hours",
        "Masked accuracy",
        "Learning rate",
        "Speed",
        "Use of the machine",
        "Where the time of a step goes",
        "Gradient norm",
        "Kurtosis of activations",
        "Largest activation",
        "sst2: accuracy",
    ]
    assert values(found["Loss over steps"]) == [
        ([50, 100, 150, 200], [9.5, 9, 8.5, 8]),
        ([0, 100, 200], [10.5, 8, 7]),
    ]
    assert values(found["Loss over hours"])[0][0] == pytest.approx([1, 2, 4, 6])
    assert values(found["Use of the machine"]) == [([50, 150, 200], [50, 50, 50])]
    assert "held-out: 10.5 to 7, lowest 7, highest 10.5" in said(found["Loss over steps"])
    assert [name.text for name in found["Kurtosis of activations"].iterfind("./ul/li/b")] == [
        "3",
        "4",
        "250",
    ]


def test_time_is_stacked_and_communication_lies_across(folder):
    figure = figures(report(folder))["Where the time of a step goes"]

    looks = [path.get("class") for path in figure.find("./svg").iter("path")]
    assert looks == ["area a", "area b", "area c", "area d", "line across"]
    assert [y[0] for _, y in values(figure)] == pytest.approx([10, 300, 600, 50, 200])
    # An area goes along its top and back along its floor, which is the top of the one below.
    areas = [path.get("d").strip("MZ").split("L") for path in figure.findall("./svg/path[@class]")]
    tops, floors = zip(*((area[:4], area[:3:-1]) for area in areas[:4]), strict=True)
    assert floors[1:] == tops[:-1]
    assert len(set(map(tuple, tops))) == 4


def test_events_are_marked_in_the_curves_and_listed(folder):
    html = report(folder)

    marks = figures(html)["Loss over steps"].find("./svg").iterfind("./path/title")
    assert [mark.text for mark in marks] == [
        "went on from step 100",
        "3 steps left out",
        "went back from step 200 to 150",
        "stopped at step 200 by SIGTERM",
    ]
    rows = tree(html).iterfind(".//table[@class='events']/tbody/tr")
    assert [row.find("./th/i").tail for row in rows] == ["resume", "skipped", "rollback", "stop"]


def test_what_was_trained_again_is_drawn_faintly_and_scales_its_picture(folder):
    figure = figures(report(folder))["Loss over steps"]

    faint = figure.findall("./svg/path[@class='line a beside']")
    assert len(faint) == 2
    assert "trained again" in "".join(figure.find("./ul").itertext())
    assert "60" in [label.text for label in figure.iterfind("./svg/text")]


def test_scores_have_a_band_from_the_lowest_to_the_highest_seed(folder):
    figure = figures(report(folder))["sst2: accuracy"]

    assert figure.find("./svg/path[@class='band b']") is not None
    assert [title.text for title in figure.iterfind("./svg/circle/title")] == [
        "step 100: 0.8, from 0.78 to 0.81",
        "step 200: 0.85, from 0.83 to 0.86",
    ]


def test_the_head_says_what_was_trained_on_what_and_what_came_out(folder):
    html = report(folder)

    head = "".join(tree(html).find(".//header").itertext())
    for words in ("step 200 of 400 (50%)", "roberta 2 layers, width 64", "A <processor>, 2 cores"):
        assert words in head
    assert "6 h 0 min" in head
    assert table(html, "results") == {
        "Training loss": ["8.0000"],
        "Held-out loss": ["7.0000"],
        "Best held-out loss": ["7.0000 at step 200"],
        "Held-out perplexity": ["1,096"],
        "Masked accuracy": ["25.00%"],
        "Tokens a second": ["10 (median)"],
        "Use of the matrix peak": ["50.0% (median)"],
        "Padding": ["5.0%"],
        "Peak memory": ["3.00 GiB"],
        "Steps left out": ["3"],
        "Rollbacks": ["1"],
        "Times continued": ["1"],
        "sst2, accuracy": ["0.85 (0.83 to 0.86)"],
    }


@pytest.mark.parametrize("left_out", ["train", "valid", "activations", "scores"])
def test_a_run_with_no_rows_of_some_kind_says_so(tmp_path, left_out):
    rows = [row for row in whole_run() if row["kind"] != left_out]

    html = report(write_run(tmp_path, rows))

    missing = " ".join(line.text for line in tree(html).iterfind(".//p[@class='missing']"))
    assert {
        "train": "Learning rate: no row has lr.",
        "valid": "The loss on held-out blocks was not measured.",
        "activations": "Activations were not measured.",
        "scores": "No task was scored along the way",
    }[left_out] in missing


def test_a_run_that_has_just_begun_has_a_page(tmp_path):
    html = report(write_run(tmp_path, []))

    assert figures(html) == {}
    assert "Nothing was measured yet." in html


def test_a_run_with_one_row_has_its_points(tmp_path):
    rows = [train(50, 1), valid(50, 1), activations(50, 1), scores(50, 1)]

    assert len(figures(report(write_run(tmp_path, rows)))) == 11


def test_a_row_cut_short_by_a_kill_is_left_out(folder):
    before = report(folder)
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(train(250, 24))[:-9])

    assert report(folder) == before


def test_rows_without_a_time_give_everything_but_hours(tmp_path):
    rows = [{k: v for k, v in row.items() if k != "time"} for row in whole_run()]

    html = report(write_run(tmp_path, rows))

    assert "Loss over hours" not in figures(html)
    assert "Rows do not say when they were written" in html


def test_a_short_run_is_told_in_minutes(tmp_path):
    rows = [valid(0, 0), train(50, 0.1), train(100, 0.2)]

    found = figures(report(write_run(tmp_path, rows)))

    assert values(found["Loss over minutes"])[0][0] == pytest.approx([6, 12])


def test_values_far_apart_are_drawn_on_a_slide_rule(tmp_path):
    rows = [train(50, 1, grad_norm=0.5), train(100, 2, grad_norm=900.0)]

    figure = figures(report(write_run(tmp_path, rows)))["Gradient norm"]

    assert "logarithmic" in figure.find("./figcaption/span").text
    labels = [text.text for text in figure.iterfind("./svg/text[@text-anchor='end']")]
    assert {"0.1", "1", "10", "100"} <= set(labels)


def test_the_page_does_not_grow_with_the_run(tmp_path):
    rows = [train(step, step / 60, loss=99.0 if step == 777 else 2.0) for step in range(1, 20_001)]

    html = report(write_run(tmp_path, rows))

    assert len(html) < 600_000
    assert max(values(figures(html)["Loss over steps"])[0][1]) == 99


def test_losses_that_are_no_number_leave_a_page(tmp_path):
    rows = [train(50, 1), train(100, 2, loss=float("nan")), train(150, 3, loss=float("inf"))]

    html = report(write_run(tmp_path, rows))

    assert values(figures(html)["Loss over steps"]) == [([50], [9.5])]


def test_the_page_allows_its_own_style_and_script_and_loads_nothing(folder):
    html = report(folder)

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)[1]
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"(?:src|href)=\"(?!data:,|#)", html)
    assert " style=" not in html


def test_hostile_names_and_settings_are_escaped(tmp_path):
    hostile = "<script>alert(1)</script>&\"'"
    rows = [{**scores(50, 1), "task": hostile}, event("stop", 50, 1, signal=hostile)]
    folder = write_run(tmp_path / "a<b>&\u202e", rows)
    with (folder / "config.toml").open("a") as file:
        file.write(f"\n[track]\nwandb = '''{hostile}'''\n")

    html = report(folder)

    assert html.count("<script>") == 1
    assert f"{hostile}: accuracy" in figures(html)
    assert tree(html).find(".//h1").text == "a<b>&\\u202E"


def test_settings_are_folded_in_as_they_are(folder):
    details = tree(report(folder)).findall(".//div[@class='settings']/details")

    assert [item.find("./summary").text for item in details] == ["config.toml", "machine.json"]
    assert details[0].find("./pre").text.strip() == (folder / "config.toml").read_text().strip()


def test_the_page_is_written_into_the_run_or_where_it_is_wanted(folder, tmp_path):
    run(ReportConfig(run=folder))
    run(ReportConfig(run=folder, out=tmp_path / "pages" / "one.html"))

    written = (folder / "report.html").read_text(encoding="utf-8")
    assert written == (tmp_path / "pages" / "one.html").read_text(encoding="utf-8")


def test_a_folder_without_a_run_is_refused(tmp_path, folder):
    for place, words in ((tmp_path / "gone", "no such folder"), (tmp_path, "holds no run")):
        with pytest.raises(UserError, match=words) as caught:
            run(ReportConfig(run=place))
        assert "--out" in caught.value.hint
    with pytest.raises(UserError, match="is a folder") as caught:
        run(ReportConfig(run=folder, out=tmp_path))
    assert "report.html" in caught.value.hint
