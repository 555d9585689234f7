"""Answers beside the post-processing of transformers' run_qa, written out here from what it does.

Transformers keeps it in an example, not in its library, so the rules are below. Of every window the
best starts and the best ends are combined; a span counts if both tokens are of the context, the end
is not before the start, and it is not too long. The best spans of all windows are kept. The score
of no answer is the least of the windows' first tokens, and it wins if it is above the best span's
by more than a threshold.
"""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, RobertaConfig, RobertaForQuestionAnswering

from unmask.finetune.squad.answers import Search, answer, shares
from unmask.finetune.squad.read import read
from unmask.finetune.squad.spans import targets
from unmask.finetune.squad.windows import Sizes, cut
from unmask.tokenizer import imports

SIZES = Sizes(length=120, stride=40, question=50)
EVERY = 100_000
LONGEST = 30


@pytest.fixture(scope="module")
def tokenizer(shared_data):
    return imports.read(imports.find(shared_data / "bpe/roberta"))


@pytest.fixture(scope="module")
def questions(shared_data):
    return read(shared_data / "squad/xquad.en.json.gz")[::9]


@pytest.fixture(scope="module")
def features(tokenizer, questions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(folder)
    return AutoTokenizer.from_pretrained(folder)(
        [question.question.lstrip() for question in questions],
        [question.context for question in questions],
        truncation="only_second",
        max_length=SIZES.length,
        stride=SIZES.stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding=True,
        return_tensors="np",
    )


def spans_of(features, window, context, starts, ends, count):
    """The spans of one window, as (score, begin, end) with the characters they stand for.

    Not as there, a token of white space alone neither begins nor ends one.
    """
    offsets = features["offset_mapping"][window].tolist()
    owner = [
        one if context[begin:end].strip() else None
        for one, (begin, end) in zip(features.sequence_ids(window), offsets, strict=True)
    ]
    for start in np.argsort(starts)[::-1][:count].tolist():
        for end in np.argsort(ends)[::-1][:count].tolist():
            if owner[start] != 1 or owner[end] != 1:
                continue
            if not start <= end < start + LONGEST:
                continue
            yield float(starts[start]) + float(ends[end]), offsets[start][0], offsets[end][1]


def run_qa(features, questions, start_logits, end_logits, count):
    """Of every question: its spans, the best first, and the score of no answer."""
    windows = features["overflow_to_sample_mapping"]
    for number, question in enumerate(questions):
        spans, none = [], []
        for window in np.flatnonzero(windows == number).tolist():
            starts, ends = start_logits[window], end_logits[window]
            none.append(float(starts[0]) + float(ends[0]))
            spans += spans_of(features, window, question.context, starts, ends, count)
        spans.sort(reverse=True)
        texts = [(score, question.context[begin:end]) for score, begin, end in spans[:count]]
        yield texts, min(none)


def padded(windows, features, logits_T2, fill):
    """The logits of our tokens in the places of their padded ones."""
    mask_BL = features["attention_mask"].astype(bool)
    both_BL2 = np.full((*mask_BL.shape, 2), fill, np.float32)
    both_BL2[mask_BL] = logits_T2
    return both_BL2[..., 0], both_BL2[..., 1]


def merged(texts):
    best = {}
    for score, text in texts:
        best.setdefault(text, score)
    return best


def test_random_logits_give_the_same_spans_odds_and_decisions(tokenizer, questions, features):
    few = questions[:25]
    windows = cut(questions, tokenizer, SIZES)
    assert (
        windows.sequences.ids_T.tolist()
        == features["input_ids"][features["attention_mask"] > 0].tolist()
    )
    rng = np.random.default_rng(1)
    logits_T2 = rng.normal(0, 4, (len(windows.token_T), 2)).astype(np.float32)
    ours = answer(questions, windows, logits_T2, Search(candidates=EVERY, tokens=LONGEST))

    # padding is -1e4 there, as a model that has never been asked of padding says anything
    start_logits, end_logits = padded(windows, features, logits_T2, -1e4)
    theirs = run_qa(features, few, start_logits, end_logits, EVERY)
    for found, (texts, none) in zip(ours, theirs, strict=False):
        expected = merged(texts)
        got = {span.text: span.score for span in found.spans}
        assert got == pytest.approx(expected, abs=1e-4)
        assert found.none.score == pytest.approx(none, abs=1e-5)
        odds = none - texts[0][0]
        assert found.null_odds == pytest.approx(odds, abs=1e-4)
        for threshold in (odds - 0.1, odds + 0.1):
            assert found.best_or_none(threshold) == ("" if odds > threshold else texts[0][1])


def test_twenty_starts_and_ends_find_nothing_better_and_mostly_the_same(
    tokenizer, questions, features
):
    windows = cut(questions, tokenizer, SIZES)
    rng = np.random.default_rng(2)
    logits_T2 = rng.normal(0, 1, (len(windows.token_T), 2)).astype(np.float32)
    place_W2 = targets(questions, windows)
    first_W = windows.sequences.starts_N1[:-1]
    for column in (0, 1):
        logits_T2[first_W + place_W2[:, column], column] += 4
    ours = answer(questions, windows, logits_T2, Search())

    start_logits, end_logits = padded(windows, features, logits_T2, -1e4)
    same = 0
    for found, (texts, _) in zip(
        ours, run_qa(features, questions, start_logits, end_logits, 20), strict=True
    ):
        assert len(found.spans) <= 20
        assert found.spans[0].score >= texts[0][0] - 1e-5
        same += found.best == texts[0][1]
    assert same >= 0.95 * len(questions)


def test_a_model_of_transformers_gives_the_same_answers_in_padded_batches_as_ours_one_by_one(
    tokenizer, questions, features
):
    config = RobertaConfig(
        vocab_size=tokenizer.vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=SIZES.length + 2,
        type_vocab_size=1,
        initializer_range=0.5,
    )
    model = RobertaForQuestionAnswering(config).eval()
    few = questions[:12]
    count = int((features["overflow_to_sample_mapping"] < len(few)).sum())
    ids_BL = torch.from_numpy(features["input_ids"][:count])
    mask_BL = torch.from_numpy(features["attention_mask"][:count])
    assert set(ids_BL[mask_BL == 0].tolist()) == {tokenizer.pad_id}
    with torch.inference_mode():
        batch = model(ids_BL, attention_mask=mask_BL)
    outside_BL = mask_BL == 0
    start_logits = batch.start_logits.masked_fill(outside_BL, -1e4).numpy()
    end_logits = batch.end_logits.masked_fill(outside_BL, -1e4).numpy()

    windows = cut(few, tokenizer, SIZES)
    assert len(windows) == count
    parts = []
    with torch.inference_mode():
        for ids in np.split(windows.sequences.ids_T, windows.sequences.starts_N1[1:-1]):
            one = model(torch.from_numpy(ids.astype(np.int64))[None])
            parts.append(torch.stack([one.start_logits[0], one.end_logits[0]], dim=1).numpy())
    ours = answer(few, windows, np.concatenate(parts), Search())

    for found, (texts, none) in zip(
        ours, run_qa(features, few, start_logits, end_logits, EVERY), strict=True
    ):
        assert found.best == texts[0][1]
        assert found.spans[0].score == pytest.approx(texts[0][0], abs=1e-3)
        assert found.none.score == pytest.approx(none, abs=1e-3)
        weights = np.exp([score - texts[0][0] for score in merged(texts[:20]).values()])
        assert shares(found.spans) == pytest.approx((weights / weights.sum()).tolist(), abs=1e-3)
