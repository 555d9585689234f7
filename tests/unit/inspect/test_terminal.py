import io
import re

import pytest
from rich.console import Console

from unmask.inspect import terminal
from unmask.inspect.run import look
from unmask.inspect.spelling import SPACE
from unmask.pretrain.masking.config import MaskingConfig

from .conftest import by_bytes, config_of, write_tokens

MASKING = MaskingConfig(probability=0.9, masked=0.4, random=0.3)


def shown(found, **settings):
    out = io.StringIO()
    terminal.show(found, Console(file=out, width=100, **settings))
    return out.getvalue()


@pytest.fixture
def found(folder):
    return look(config_of(folder, masking=MASKING))


def fates(found):
    tokens = [t for block in found.blocks for passage in block.passages for t in passage.tokens]
    return [token.seen.fate for token in tokens if token.seen]


def test_without_colour_every_token_to_predict_stands_in_brackets(found):
    text = shown(found).partition("numbered from 0.")[2]

    marked = re.findall(r"⟦(.+?)⟧", text, re.DOTALL)

    assert "\x1b" not in text
    assert len(marked) == len(fates(found))
    assert sum("→" in mark for mark in marked) == fates(found).count("random")
    assert sum(mark.startswith("=") for mark in marked) == fates(found).count("kept")


def test_with_colour_three_fates_have_three_colours_and_no_brackets(found):
    text = shown(found, force_terminal=True, color_system="standard", no_color=False)

    assert "⟦" not in text
    for code in ("43m", "45m", "46m"):
        assert code in text
    assert "34m<s>" in text


def test_no_color_is_heeded_on_a_terminal(found, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    assert "⟦" in shown(found, force_terminal=True, color_system="standard")


def test_counts_lengths_and_blocks_are_all_there(found):
    text = shown(found)

    assert "4 files, " in text
    assert "hashes verified" in text
    assert re.search(r"^documents +4 +2 *$", text, re.MULTILINE)
    assert "tokens of blocks  train: 3 blocks, mean " in text
    assert re.search(r"^57–60 +█{40} +1$", text, re.MULTILINE)
    assert "train: blocks 0 to 2 of 3; masks of epoch 0, seed 0" in text
    assert "block 0  63 tokens, 1 padding; " in text
    assert "¶ document 3, from sentence 1" in text


def test_the_label_of_a_pair_stands_in_its_head(folder):
    text = shown(look(config_of(folder, plan="sentence-pair", blocks=9)))

    assert re.search(r"^block \d .*  B follows A$", text, re.MULTILINE)
    assert re.search(r"^block \d .*  B is from another document$", text, re.MULTILINE)


def test_markup_in_the_text_is_text(tmp_path):
    documents = [["a [bold]b[/bold] :smile: c"]]
    folder = write_tokens(tmp_path / "tokens", by_bytes(), train=(documents,))
    masking = MaskingConfig(probability=0.01)

    text = shown(look(config_of(folder, masking=masking)))

    assert (
        re.sub("⟦=?(.)(?:→.)?⟧", r"\1", text).replace(SPACE, " ").count("[bold]b[/bold] :smile: c")
        == 1
    )
