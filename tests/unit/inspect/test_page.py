import base64
import hashlib
import re
from xml.etree import ElementTree

import pytest

from unmask.core.errors import UserError
from unmask.inspect import page
from unmask.inspect.run import look, run
from unmask.inspect.spelling import SPACE
from unmask.pretrain.masking.config import MaskingConfig

from .conftest import by_bytes, config_of, write_tokens

MASKING = MaskingConfig(probability=0.9, masked=0.4, random=0.3)


def tree(html):
    """A page that is well-formed XML is read alike by every parser."""
    assert html.startswith("<!DOCTYPE html>\n<html ")
    return ElementTree.fromstring(html.partition("\n")[2])


def texts(html):
    """Of each passage: what stands there, what the model sees left out."""
    found = []
    for passage in tree(html).iterfind(".//p[@class='text']"):
        for seen in passage.iterfind(".//span[@class='seen']"):
            seen.text = ""
        found.append("".join(passage.itertext()).replace(SPACE, " "))
    return found


def test_the_text_stands_there_whole_and_escaped(folder):
    html = page.page(look(config_of(folder, masking=MASKING)))

    assert texts(html)[:2] == [
        "<s> One two.</s> Three four five.</s> Six.</s></s>",
        "Seven eight nine ten.</s> Eleven.</s>",
    ]
    assert "Twelve <script>alert(1)</script> & thirteen." in "".join(texts(html))
    assert html.count("<script>") == 1


def test_hostile_names_and_tokens_are_escaped(tmp_path):
    path = tmp_path / "a<b>&\"'\x1b"
    path.mkdir()
    folder = write_tokens(path / "tokens", by_bytes(), train=([["\x00\x1b[31m \u202e <b>\"'&"]],))

    html = page.page(look(config_of(folder)))

    assert "a<b>&\"'\\u001B" in tree(html).find(".//h1").text
    assert "\\u202E" in html
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", html)


def test_every_token_says_its_id_and_what_became_of_it(folder):
    found = look(config_of(folder, masking=MASKING, blocks=1))
    tokens = [token for passage in found.blocks[0].passages for token in passage.tokens]

    root = tree(page.page(found))

    elements = root.findall(".//p[@class='text']/*")
    assert len(elements) == len(tokens)
    for element, token in zip(elements, tokens, strict=True):
        assert element.get("title").startswith(f"id {token.id}  {token.token}")
        if token.seen:
            assert (element.tag, element.get("class")) == ("mark", token.seen.fate)
            sees = f"{token.seen.fate}: the model sees id {token.seen.id}  {token.seen.token}"
            assert element.get("title").endswith(sees)
        else:
            assert element.tag == "span"
            assert (element.get("class") == "special") == token.special


def test_nothing_is_fetched_and_no_foreign_script_can_run(folder):
    html = page.page(look(config_of(folder)))
    root = tree(html)

    links = [e.get(name) for e in root.iter() for name in ("href", "src") if e.get(name)]
    assert links == ["data:,", "#blocks"]
    assert "url(" not in html
    assert "@import" not in html
    policy = root.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
    assert policy.startswith("default-src 'none'; ")
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (element,) = root.iter(tag)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert not [e for e in root.iter() if e.get("style") or e.get("onclick")]


def test_histograms_are_drawn_and_their_numbers_can_be_read(folder):
    found = look(config_of(folder))

    root = tree(page.page(found))

    figures = root.findall(".//figure")
    assert len(figures) == 3
    for figure, histogram in zip(figures, found.histograms, strict=True):
        bars = figure.findall(".//rect")
        assert len(bars) == len(histogram.bins)
        assert histogram.said in figure.find("svg").get("aria-label")
        tallest = max(bars, key=lambda bar: float(bar.get("height")))
        most = max(bin_.count for bin_ in histogram.bins)
        assert f" {most:,} {histogram.title} " in tallest.find("title").text
        for bar, bin_ in zip(bars, histogram.bins, strict=True):
            assert (float(bar.get("height")) > 0) == (bin_.count > 0)
        rows = [[*row.itertext()] for row in figure.findall(".//tr")]
        assert rows == [[bin_.span, f"{bin_.count:,}"] for bin_ in histogram.bins]


def test_every_block_has_a_heading_and_pairs_their_label(folder):
    found = look(config_of(folder, plan="sentence-pair", blocks=9))

    root = tree(page.page(found))

    for block in found.blocks:
        heading = root.find(f".//h3[@id='block-{block.number}']")
        assert [*heading.itertext()] == [f"Block {block.number}", block.label]


def test_a_reader_without_a_mouse_gets_everywhere(folder):
    root = tree(page.page(look(config_of(folder))))

    identities = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(identities) == len(set(identities))
    for element in root.iter():
        assert element.get("aria-labelledby") in (None, *identities)
        if element.tag == "p" and element.get("class") == "text":
            assert element.get("tabindex") == "0"
    assert root.get("lang") == "en"
    assert root.find(".//meta[@name='viewport']") is not None


def test_the_page_is_written_where_it_is_wanted_and_twice_the_same(folder, tmp_path, capsys):
    for name in ("a", "b"):
        run(config_of(folder, html=tmp_path / "new" / f"{name}.html"))

    first, second = ((tmp_path / "new" / f"{name}.html").read_bytes() for name in ("a", "b"))
    assert first == second
    assert capsys.readouterr().out == ""


def test_a_page_cannot_be_a_folder(folder, tmp_path):
    with pytest.raises(UserError, match=r"--html .*: is a folder"):
        run(config_of(folder, html=tmp_path))
