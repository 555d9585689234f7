import json
import re

import pytest

from unmask.core.errors import UserError
from unmask.report.config import ReportConfig
from unmask.report.run import report, run

from .conftest import (
    CONFUSION,
    DETAILS,
    FACTS,
    dev,
    figures,
    rows,
    train,
    tree,
    whole_run,
    write_many,
    write_run,
)


def values(figure):
    """The curves as numbers, as page.js reads them."""
    paths = [path for path in figure.find("./svg").iter("path") if path.get("data-x")]
    return [
        tuple([float(n) for n in p.get(k).split()] for k in ("data-x", "data-y")) for p in paths
    ]


def results(html):
    return dict(rows(tree(html).find(".//table[@class='results']")))


def open_table(html):
    return tree(html).find(".//div[@tabindex='0'][@role='region']/table")


def missing(html):
    return " ".join(line.text for line in tree(html).iterfind(".//p[@class='missing']"))


def test_a_run_has_a_picture_of_everything_it_wrote_down(folder):
    found = figures(report(folder))

    assert list(found) == [
        "Training loss",
        "mcc on dev",
        "accuracy on dev",
        "Confusion matrix",
        "Reliability",
        "Learning rate",
        "Speed",
        "Gradient norm",
    ]
    assert values(found["mcc on dev"]) == [([100, 200, 300], [0.3, 0.5, 0.4])]
    assert values(found["Training loss"])[0][0] == [50, 100, 150, 200, 300]
    assert values(found["Speed"]) == [([50, 100, 150, 200, 300], [32] * 5)]


def test_every_picture_has_a_text_alternative_and_its_numbers(folder):
    for figure in figures(report(folder)).values():
        assert figure.find(".//svg").get("aria-label")
        assert rows(figure.find("./details/div/table"))


def test_the_best_step_is_marked_in_loss_and_scores(folder):
    found = figures(report(folder))

    for name in ("Training loss", "mcc on dev", "accuracy on dev"):
        mark = found[name].find("./svg/path[@class='event best']")
        assert mark.find("./title").text == "best at step 200: mcc 0.5 on dev"
        # The axis goes from step 0 at 52 to step 300 at 548.
        assert mark.get("d").startswith(f"M{52 + 200 / 300 * 496:.1f} ")
        assert "best" in "".join(found[name].find("./ul").itertext())
    assert found["Speed"].find("./svg/path[@class='event best']") is None


def test_what_was_trained_before_it_began_anew_is_faint_and_its_scores_are_gone(folder):
    html = report(folder)
    loss = figures(html)["Training loss"]

    (faint,) = loss.findall("./svg/path[@class='line a beside']")
    assert faint.get("data-x") is None
    events = rows(tree(html).find(".//table[@class='events']"))
    assert [event[0] for event in events] == ["restart", "resume", "skipped"]
    assert events[0][3] == "began anew after step 100, with another seed"


def test_looks_at_dev_say_their_epoch(folder):
    notes = figures(report(folder))["mcc on dev"].iterfind("./svg/circle/title")

    assert [note.text for note in notes] == [
        "step 100, epoch 1: 0.3",
        "step 200, epoch 2: 0.5",
        "step 300, epoch 3: 0.4",
    ]


def test_the_head_says_what_was_learnt_and_what_came_out(folder):
    html = report(folder)

    head = "".join(tree(html).find(".//header").itertext())
    for words in ("unmask fine-tuning, finished", "cola", "texts", "small/model", "32 examples"):
        assert words in head
    assert results(html) == {
        "mcc on dev": "0.5 at step 200",
        "accuracy on dev": "0.8 at step 200",
        "Best epoch": "2",
        "Training loss": "0.7000",
        "Examples a second": "32 (median)",
        "Peak memory": "1.00 GiB",
        "Steps left out": "2",
        "Times begun anew": "1",
        "Times continued": "1",
    }


def test_a_stuck_training_says_so(tmp_path):
    html = report(write_run(tmp_path / "a", whole_run(), FACTS | {"stuck": True}, DETAILS))

    assert results(html)["Stuck"] == "gives one answer to everything"


def test_each_class_has_a_row_after_the_means(folder):
    table = open_table(report(folder))

    assert [cell.text for cell in table.find("./thead/tr")] == [
        "label",
        "precision",
        "recall",
        "f1",
        "support",
    ]
    assert rows(table) == [
        ["macro mean", "0.6833", "0.7667", "0.7250", "20"],
        ["weighted mean", "0.7250", "0.8000", "0.7625", "20"],
        ["bad", "0.8000", "0.8000", "0.8000", "10"],
        ["good", "0.7500", "1.0000", "0.8750", "6"],
        ["so so", "0.5000", "0.5000", "0.5000", "4"],
    ]


def test_means_are_those_of_scikit_learn(tmp_path):
    metrics = pytest.importorskip("sklearn.metrics")
    gold = [row for row, counts in enumerate(CONFUSION) for _ in range(sum(counts))]
    said = [column for counts in CONFUSION for column, n in enumerate(counts) for _ in range(n)]
    scores = metrics.classification_report(gold, said, output_dict=True, zero_division=0)
    names = {"precision": "precision", "recall": "recall", "f1": "f1-score", "support": "support"}
    per_class = {
        label: {ours: scores[str(number)][theirs] for ours, theirs in names.items()}
        for number, label in enumerate(DETAILS["labels"])
    }

    html = report(write_run(tmp_path / "a", [], FACTS, DETAILS | {"per_class": per_class}))

    for ours, theirs in (("macro mean", "macro avg"), ("weighted mean", "weighted avg")):
        (row,) = [row for row in rows(open_table(html)) if row[0] == ours]
        assert row[1:4] == [f"{scores[theirs][name]:.4f}" for name in list(names.values())[:3]]


def test_scores_of_some_other_kind_make_a_table_too(tmp_path):
    details = {"per_class": {"middle": {"accuracy": 0.7, "support": 2}, "high": {"accuracy": 0.6}}}

    table = open_table(report(write_run(tmp_path / "a", whole_run(), FACTS, details)))

    assert rows(table)[2:] == [["middle", "0.7000", "2"], ["high", "0.6000", ""]]


def test_numbers_are_drawn_beside_gold_ones_and_those_that_are_none_counted(tmp_path):
    details = {"gold": [0.0, 5.0, 1.0], "predicted": [1.0, float("nan"), 2.0]}

    html = report(write_run(tmp_path / "a", whole_run(), FACTS, details, task="stsb"))

    assert len(figures(html)["Gold and predicted"].findall(".//circle")) == 2
    assert "1 examples have no finite number" in missing(html)


def test_too_many_classes_have_their_worst_confusions_told(tmp_path):
    labels = [f"c{number}" for number in range(61)]
    counts = [[9 * (a == b) + 3 * (b == a + 1 == 5) for b in range(61)] for a in range(61)]

    html = report(write_run(tmp_path / "a", [], FACTS, {"labels": labels, "confusion": counts}))

    assert "Confusion matrix" not in figures(html)
    assert "61 classes is too large to draw (at most 60)" in missing(html)
    assert "most often confused: c4 taken for c5, 3 times." in missing(html)


def test_a_task_without_classes_or_numbers_says_so(tmp_path):
    html = report(write_run(tmp_path / "a", whole_run(), FACTS, {"exact": 1}, task="squad"))

    assert "The task has no classes and no numbers to show." in missing(html)


def test_counts_of_examples_are_no_scores(tmp_path):
    row = {"kind": "dev", "step": 9, "time": 1.0, "epoch": 1.0, "f1": 88.0, "HasAns_total": 500}

    rows = [row, row | {"step": 18, "epoch": 2.0}]

    assert list(figures(report(write_run(tmp_path / "a", rows)))) == ["f1 on dev"]


def test_one_look_at_dev_has_no_course_to_draw(tmp_path):
    html = report(write_run(tmp_path / "a", [dev(100, 0.5)]))

    assert figures(html) == {}
    assert "One look at dev was taken: what it found stands above." in missing(html)
    assert results(html)["mcc on dev"] == "0.5 at the last look"


def test_a_run_that_goes_on_has_its_page_and_no_best_moment(tmp_path):
    html = report(write_run(tmp_path / "a", whole_run()[:-2]))

    head = "".join(tree(html).find(".//header").itertext())
    assert "step 200, epoch 2 of 3" in head
    assert results(html)["mcc on dev"] == "0.5 at the last look"
    assert "They are written down when the training has ended." in missing(html)
    assert "event best" not in html


def test_the_metric_of_the_settings_stands_first_before_it_has_ended(tmp_path):
    folder = write_run(tmp_path / "a", whole_run())
    text = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(f'metric = "mcc"\n{text}')

    assert list(results(report(folder)))[:2] == ["mcc on dev", "accuracy on dev"]


def test_a_run_that_has_just_begun_has_a_page(tmp_path):
    html = report(write_run(tmp_path / "a", []))

    assert figures(html) == {}
    assert "No look at dev was taken yet." in missing(html)
    assert "Nothing was measured yet." in html


def test_several_trainings_have_a_dot_each_and_a_table_of_settings(many):
    html = report(many)

    found = figures(html)
    assert list(found)[:4] == ["mcc on dev", "accuracy on dev", "Training loss", "Confusion matrix"]
    assert rows(open_table(html))[:2] == [
        ["lr-1e-05", "mcc", "3", "0.6", "0.5", "0.7", "0.35 to 0.85"],
        ["lr-2e-05", "mcc", "3", "0.56", "0.55", "0.6", "0.5 to 0.64"],
    ]
    assert results(html) == {
        "mcc on dev": "0.6, median of 3 runs",
        "mcc, 95 % interval of the mean": "0.35 to 0.85",
        "accuracy on dev": "0.8, median of 3 runs",
        "The model": "lr-1e-05-seed-1",
    }
    head = "".join(tree(html).find(".//header").itertext())
    assert "6 trainings done" in head
    assert "1e-05 or 2e-05" in head
    assert "Answers on dev of lr-1e-05-seed-1" in html


def test_the_result_is_that_of_the_setting_of_the_model(many):
    table = json.loads((many / "many.json").read_text()) | {"model": "lr-2e-05-seed-1"}
    (many / "many.json").write_text(json.dumps(table))

    found = results(report(many))

    assert found["mcc on dev"] == "0.56, median of 3 runs"
    assert found["mcc, 95 % interval of the mean"] == "0.5 to 0.64"


def pictures(html, title):
    return [f for f in tree(html).iter("figure") if f.find("./figcaption/strong").text == title]


def test_several_trainings_have_their_courses_side_by_side(many):
    html = report(many)

    dots, course = pictures(html, "mcc on dev")
    assert len(dots.findall(".//circle")) == 6
    assert len(dots.findall(".//circle[@class='dot b']")) == 1
    assert len(course.findall("./svg/path[@class='line b beside']")) == 5
    assert values(course) == [([100, 200, 300], [0.3, 0.5, 0.4])]
    assert course.find("./ul/li").find("./i").tail.strip() == "lr-1e-05-seed-1"
    assert "the other runs" in "".join(course.find("./ul").itertext())


def test_folds_and_seeds_without_a_sweep_are_one_setting(tmp_path):
    folder = write_many(tmp_path / "a")
    table = json.loads((folder / "many.json").read_text())
    table["summary"] = {"": table["summary"]["lr-1e-05"]}
    table["runs"] = [run | {"name": f"fold-{n}"} for n, run in enumerate(table["runs"][:3])]
    table["model"] = "fold-1"
    (folder / "many.json").write_text(json.dumps(table))

    html = report(folder)

    assert rows(open_table(html))[0][:3] == ["all runs", "mcc", "3"]
    assert len(pictures(html, "mcc on dev")[0].findall(".//circle")) == 3


def test_trainings_that_go_on_are_shown_as_far_as_they_are(many):
    (many / "many.json").unlink()
    (many / "dev.json").unlink()
    manifest = many / "runs" / "lr-2e-05-seed-2" / "model" / "manifest.json"
    manifest.unlink()

    html = report(many)

    assert "6 trainings, 5 done" in "".join(tree(html).find(".//header").itertext())
    assert "The summary is written when all trainings have ended." in missing(html)
    assert len(pictures(html, "mcc on dev")) == 1


def test_trainings_of_which_none_has_begun_have_a_page(tmp_path):
    folder = write_run(tmp_path / "a", [])
    (folder / "runs").mkdir()

    assert "No training has begun yet." in missing(report(folder))


def test_a_summary_that_does_not_fit_its_runs_is_named(many):
    table = json.loads((many / "many.json").read_text())
    for wrong in ({"model": "gone"}, {"runs": table["runs"][:3]}):
        (many / "many.json").write_text(json.dumps(table | wrong))

        with pytest.raises(UserError, match="a setting without runs, or a model"):
            report(many)


@pytest.mark.parametrize("text", ["{", "[]", '{"model": "a", "summary": {}, "runs": []}'])
def test_a_damaged_summary_is_named(many, text):
    (many / "many.json").write_text(text)

    with pytest.raises(UserError, match=r"many\.json: damaged"):
        report(many)


def test_a_folder_of_neither_kind_of_run_is_refused_in_one_line(tmp_path):
    (tmp_path / "config.toml").write_text("text = 'a'\n")

    with pytest.raises(UserError) as caught:
        report(tmp_path)

    assert caught.value.what == (
        f"{tmp_path / 'config.toml'}: neither of a pretraining (no tokens) nor of a fine-tuning "
        "(no task)"
    )
    assert "--out" in caught.value.hint


def test_names_of_all_kinds_are_text(tmp_path):
    hostile = "<script>alert(1)</script>&\"'"
    details = json.loads(json.dumps(DETAILS).replace("so so", json.dumps(hostile)[1:-1]))
    looks = [dev(step, 0.5) | {hostile: 0.5} for step in (100, 200)]
    folder = write_run(tmp_path / "a<b>", looks, FACTS, details)

    html = report(folder)

    assert html.count("<script>") == 1
    assert f"{hostile} on dev" in figures(html)
    assert hostile in [row[0] for row in rows(open_table(html))]


def test_hostile_labels_are_text_in_every_cell(tmp_path):
    labels = ["<b>", *(f"c{number}" for number in range(21))]
    counts = [[int(b == 0 and a > 0) for b in range(22)] for a in range(22)]

    html = report(write_run(tmp_path / "a", [], FACTS, {"labels": labels, "confusion": counts}))

    table = figures(html)["Confusion matrix"].find("./details/div/table")
    assert rows(table)[0] == ["c0", "<b>", "1"]


def test_the_page_loads_nothing_and_has_no_style_of_its_own(many):
    html = report(many)

    assert not re.search(r"(?:src|href)=\"(?!data:,|#)", html)
    assert " style=" not in html


def test_ids_are_there_once_and_headings_lead_to_them(many):
    page = tree(report(many))

    ids = [part.get("id") for part in page.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    named = {part.get("aria-labelledby") for part in page.iter()} - {None}
    assert named <= set(ids)


def test_a_page_of_a_long_training_stays_small(tmp_path):
    long = [row for step in range(1, 5001) for row in (train(step), dev(step, 0.5))]

    assert len(report(write_run(tmp_path / "a", long))) < 600_000


def test_the_page_is_written_into_the_run(folder):
    run(ReportConfig(run=folder))

    assert (folder / "report.html").read_text(encoding="utf-8") == report(folder)
