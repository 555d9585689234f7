"""`unmask tokens inspect` by the real command line."""

import json
import re
import shutil
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.e2e


def test_the_blocks_that_pretraining_reads_are_shown(line):
    facts = json.loads((line.folder / "tokens" / "manifest.json").read_text())["facts"]

    done = line.good("tokens", "inspect", "tokens", "--length", "32", "--blocks", "2")

    assert "hashes verified" in done.stdout
    assert re.search(rf"^documents +{facts['train_documents']} ", done.stdout, re.MULTILINE)
    assert re.search(r"^block 1  \d+ tokens", done.stdout, re.MULTILINE)
    assert "block 2 " not in done.stdout
    assert "⟦" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_folders_own_plan_is_reported_as_when_it_was_made(line):
    facts = json.loads((line.folder / "tokens" / "manifest.json").read_text())["facts"]

    printed = line.good("tokens", "inspect", "tokens").stdout

    assert f"blocks: {facts['plan']}, length {facts['length']}" in printed
    for name in ("blocks", "tokens"):
        values = [f"{facts[f'{split}_plan'][name]:,}" for split in ("train", "valid")]
        assert re.search(rf"^{name} +{values[0]} +{values[1]} *$", printed, re.MULTILINE)


def test_the_page_is_one_file_and_the_same_every_time(line, tmp_path):
    words = ("tokens", "inspect", "tokens", "--plan", "sentence-pair", "--length", "32")

    first, second = (line.good(*words, "--html", tmp_path / name) for name in ("a.html", "b.html"))

    assert first.stdout == second.stdout == ""
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert html == (tmp_path / "b.html").read_text(encoding="utf-8")
    ElementTree.fromstring(html.partition("\n")[2])
    assert "B follows A" in html or "B is from another document" in html


def test_a_damaged_shard_is_named(line, tmp_path):
    folder = tmp_path / "tokens"
    shutil.copytree(line.folder / "tokens", folder)
    path = folder / "train-00000.ids"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")

    done = line("tokens", "inspect", folder)

    assert done.returncode == 2
    assert "train-00000.ids: damaged" in done.stderr
    assert done.stdout == ""


def test_a_misspelt_second_word_names_the_right_one(line):
    done = line("tokens", "inspct", "tokens")

    assert done.returncode == 2
    assert "unknown command tokens inspct" in done.stderr
    assert "tokens inspect" in done.stderr
