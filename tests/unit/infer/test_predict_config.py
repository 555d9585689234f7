"""Settings that could not take effect are refused before a model is opened."""

from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.finetune.data_config import ChoicesConfig
from unmask.infer.config import EvaluateConfig, PredictConfig
from unmask.infer.engine_config import EngineConfig

MODEL = Path("model")
TABLE = Path("rows.tsv")
OPTIONS = ChoicesConfig(options=("a", "b"), question="q")


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"text": ("a",), "input": TABLE}, "--text and --input are both given"),
        ({"text": ("a", " ")}, "--text: text 2 is empty"),
        ({"question": ""}, "--question: text 1 is empty"),
        ({"option": ("a", "")}, "--option: text 2 is empty"),
        ({"pair": " "}, "--pair: text 1 is empty"),
        ({"pair": "b", "targets": ("a",)}, "--pair 'b' with --targets: second texts are not read"),
        ({"input": TABLE, "pair": "b", "pair_column": "q"}, "the second texts are in rows.tsv"),
        ({"targets": ("",)}, "--targets: text 1 is empty"),
        ({"top_k": 0}, "--top-k 0: too small"),
        ({"text_column": "a"}, "--text-column a, --pair-column None: columns are those of a table"),
        ({"input": Path("a.txt.gz"), "pair_column": "b"}, "columns are those of a table"),
        ({"input": Path("a.json"), "text_column": "b"}, "columns are those of a table"),
        ({"choices": OPTIONS}, "--choices flags without a table"),
        ({"input": Path("a.txt"), "choices": OPTIONS}, "--choices flags without a table"),
        (
            {"input": TABLE, "choices": ChoicesConfig(options=("a",), label="gold")},
            "predict reads no right answers",
        ),
        (
            {"input": TABLE, "choices": ChoicesConfig(options=("a",), answers="letters")},
            "predict reads no right answers",
        ),
        ({"input": TABLE, "pair_column": "q", "question": "who?"}, "the questions are in rows.tsv"),
        ({"input": Path("a.json.gz"), "question": "who?"}, "the questions are in a.json.gz"),
        ({"input": TABLE, "pair_column": "q", "targets": ("a",)}, "second texts are not read"),
        ({"force": True}, "--force without --output"),
        ({"output": Path("a.jsonl.gz")}, "--output a.jsonl.gz: answers are not packed"),
        ({"output": Path("a.npy")}, "--output a.npy: with --mode answer answers are JSON lines"),
        ({"output": Path("a.npz"), "mode": "perplexity"}, "with --mode perplexity answers are"),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together_are_refused(settings, what):
    with pytest.raises(UserError) as caught:
        PredictConfig(model=MODEL, **settings)

    assert what in caught.value.what


MODES = {
    "layers": ((0, 1), {"features", "token-features", "word-features"}),
    "pooling": ("first", {"features"}),
    "targets": (("a",), {"answer", "fill-together"}),
    "top_k": (3, {"answer", "fill-together"}),
    "question": ("who?", {"answer"}),
    "option": (("a", "b"), {"answer", "pronouns", "choose"}),
    "pair": ("b", {"answer"}),
    "pair_column": ("b", {"answer"}),
    "choices": (OPTIONS, {"answer"}),
}
ALL = [
    *("answer", "fill-together", "features", "token-features", "word-features"),
    *("perplexity", "pronouns", "choose"),
]


@pytest.mark.parametrize("mode", ALL)
@pytest.mark.parametrize("name", MODES)
def test_a_flag_of_another_mode_is_refused(name, mode):
    value, modes = MODES[name]
    settings = {"model": MODEL, "mode": mode, name: value}
    if name in ("pair_column", "choices"):
        settings["input"] = TABLE

    if mode in modes:
        PredictConfig(**settings)
        return
    flag = f"--{name.replace('_', '-')}"
    with pytest.raises(UserError, match=f"{flag} with --mode {mode}: it is for"):
        PredictConfig(**settings)


@pytest.mark.parametrize(
    ("name", "kind", "table"),
    [
        (None, "", False),
        ("a.txt", ".txt", False),
        ("a.TXT.gz", ".txt", False),
        ("a.json.xz", ".json", False),
        ("a.tsv", ".tsv", True),
        ("a.jsonl.zst", ".jsonl", True),
        ("a.pdf", ".pdf", True),
        ("a", "", True),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_name_whatever_it_is_packed_in(name, kind, table):
    config = PredictConfig(model=MODEL, input=None if name is None else Path(name))

    assert (config.file_kind, config.table) == (kind, table)


@pytest.mark.parametrize("mode", ALL)
def test_answers_of_every_mode_can_be_written_to_a_file(mode):
    output = Path("a.npz" if mode.endswith("features") else "a.jsonl")

    config = PredictConfig(model=MODEL, mode=mode, output=output, force=True)

    assert config.output == output


def test_outputs_that_are_read_are_not_computed():
    with pytest.raises(UserError, match="--logits out with --engine flags: nothing is run then"):
        EvaluateConfig(
            model=MODEL, data=TABLE, logits=Path("out"), engine=EngineConfig(runtime="torch")
        )


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"mode": "perplexity"}, "--engine with --mode perplexity: it is for answer"),
        ({"targets": ("a",)}, "--engine with --targets: torch fills masks"),
    ],
)
def test_an_engine_that_would_not_be_asked_is_refused(settings, what):
    with pytest.raises(UserError) as caught:
        PredictConfig(model=MODEL, engine=EngineConfig(threads=1), **settings)

    assert what in caught.value.what
