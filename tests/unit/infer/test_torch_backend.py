"""Batches without padding, by graphs of few shapes, answer as padded batches and single texts do.

The kernel of attention and the recorder of graphs are those of a card in use; here an independent
loop stands for the one, and for the other what would show where it is used wrongly.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import library
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F

from unmask.infer import joined as joined_module
from unmask.infer import shapes
from unmask.infer.joined import JoinedModel, Kernels, joined
from unmask.infer.shapes import Shape
from unmask.infer.torch_backend import TorchBackend
from unmask.model.config import ModelConfig
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
    build,
)
from unmask.model.init import initialise
from unmask.tokenizer.batch import Batch

CPU = torch.device("cpu")
LABELS = {SequenceClassifier: ("a", "b", "c"), TokenClassifier: ("o", "x")}
HEADS = [MaskedLM, SequenceClassifier, TokenClassifier, SpanExtractor, MultipleChoice]
LENGTHS = [
    [1],
    [40],
    [16, 16, 16, 16],  # a whole bucket
    [32, 32],  # all its tokens, not all its sequences
    [40, 33, 2, 1],
    [1] * 70,
    [7, 40, 3, 3, 21, 1],
]
MOST = 40


def model_of(kind, family):
    config = ModelConfig(
        family=family,
        vocabulary=120,
        layers=2,
        width=32,
        heads=4,
        feed_forward=48,
        max_length=MOST,
        types=1 if family == "roberta" else 2,
        norm_eps=1e-5,
        pad_id=1,
    )
    model = build(kind, config, LABELS.get(kind, ()))
    initialise(model, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():  # larger than at the start, so that errors show
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


def batch_of(lengths, types, seed=0):
    """Ids of all kinds, that of padding too, as a text may spell it."""
    numbers = np.random.default_rng(seed)
    mask_BL = np.arange(max(lengths)) < np.array(lengths)[:, None]
    ids_BL = np.where(mask_BL, numbers.integers(0, 120, mask_BL.shape), 1)
    return Batch(ids_BL, mask_BL, numbers.integers(0, types, mask_BL.shape) * mask_BL)


def single(batch, row):
    part = np.s_[row : row + 1, : batch.mask_BL[row].sum()]
    return Batch(batch.ids_BL[part], batch.mask_BL[part], batch.types_BL[part])


class Loop:
    """Attention of one sequence after the other; NaN at queries that have no key.

    With `real`, the sequences from that one on have NaN too: nobody may read what they give.
    """

    def __init__(self, real=None):
        self.real = real

    def __call__(self, q_QHK, k_THK, v_THK, starts_q, starts_k, longest_q, longest_k):
        assert starts_q.dtype == starts_k.dtype == torch.int32
        assert type(longest_q) is type(longest_k) is int
        assert starts_q.diff().max() <= longest_q
        assert starts_k.diff().max() <= longest_k
        assert starts_q[-1] == len(q_QHK)
        assert starts_k[-1] == len(k_THK) == len(v_THK)
        mixed_QHK = torch.full_like(q_QHK, torch.nan)
        for number in range(len(starts_q) - 1 if self.real is None else self.real):
            own_q, own_k = (slice(*starts[number : number + 2]) for starts in (starts_q, starts_k))
            parts = [
                part[own].transpose(0, 1)
                for part, own in ((q_QHK, own_q), (k_THK, own_k), (v_THK, own_k))
            ]
            if parts[1].shape[1]:
                mixed_QHK[own_q] = F.scaled_dot_product_attention(*parts).transpose(0, 1)
        return mixed_QHK


class Tape:
    """Keeps one output a graph, and spoils all of them whenever one is replayed."""

    def __init__(self):
        self.outputs = []

    def __call__(self, run, static_X):
        kept = run(static_X).clone()
        self.outputs.append(kept)

        def replay():
            for output in self.outputs:
                output.fill_(torch.nan)
            return kept.copy_(run(static_X))

        return replay


def on_card(model, tape=None, kernel=None):
    kernels = Kernels(kernel or Loop(), tape or Tape())
    return TorchBackend(model, CPU, kernels=kernels)


def real(logits, batch):
    return logits[batch.mask_BL] if logits.ndim == 3 else logits


def assert_same(found, expected, batch):
    assert found.shape == expected.shape
    np.testing.assert_allclose(real(found, batch), real(expected, batch), atol=2e-5)


@pytest.mark.parametrize("family", ["roberta", "bert"])
@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("graphs", [True, False])
def test_every_head_answers_as_padded_batches_and_single_texts_do(
    kind, family, graphs, monkeypatch
):
    if not graphs:
        monkeypatch.setattr(joined_module, "MOST_GRAPHS", 0)
    model, tape = model_of(kind, family), Tape()
    padded, card = TorchBackend(model, CPU), on_card(model, tape)

    for lengths in LENGTHS:
        batch = batch_of(lengths, model.config.types)
        found = card.logits(batch)

        assert_same(found, padded.logits(batch), batch)
        for row, length in enumerate(lengths):
            alone = padded.logits(single(batch, row))
            cut = found[row : row + 1, :length] if found.ndim == 3 else found[row : row + 1]
            np.testing.assert_allclose(cut, alone, atol=2e-5)
    assert bool(tape.outputs) == graphs


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, MOST), min_size=1, max_size=30),
    kind=st.sampled_from([SequenceClassifier, TokenClassifier]),
    seed=st.integers(0, 99),
)
def test_no_answer_depends_on_what_fills_a_batch_up(lengths, kind, seed):
    model = model_of(kind, "roberta")
    batch = batch_of(lengths, 1, seed)

    found = on_card(model, kernel=Loop(real=len(lengths))).logits(batch)

    assert np.isfinite(real(found, batch)).all()
    assert_same(found, TorchBackend(model, CPU).logits(batch), batch)


@pytest.mark.parametrize("kind", [TokenClassifier, MultipleChoice])
def test_batches_of_one_bucket_take_turns_in_its_graph(kind):
    model, tape = model_of(kind, "bert"), Tape()
    card, padded = on_card(model, tape), TorchBackend(model, CPU)
    batches = [batch_of(lengths, 2, 5) for lengths in ([20, 9], [31, 1, 1], [3, 30])]

    for batch in (*batches, *batches):
        assert_same(card.logits(batch), padded.logits(batch), batch)

    assert len(tape.outputs) == 1


@pytest.mark.parametrize("kind", [MaskedLM, SequenceClassifier])
def test_answers_stay_what_they_were_when_another_batch_is_asked(kind):
    model = model_of(kind, "roberta")
    asked = JoinedModel(model.eval(), CPU, Kernels(Loop(), Tape()))
    with torch.inference_mode():
        first = asked.rows(batch_of([20, 9], 1, 1))
        kept = first.clone()

        for lengths in ([21, 8], [40, 40, 40]):
            asked.rows(batch_of(lengths, 1, 2))

    assert kept.isfinite().all()
    assert first.equal(kept)


@pytest.mark.parametrize(("kind", "rows"), [(MaskedLM, 29), (SequenceClassifier, 2)])
def test_the_head_computes_real_rows_only(kind, rows, monkeypatch):
    model, seen = model_of(kind, "roberta"), []
    head = model.head
    monkeypatch.setattr(model, "head", lambda given: [seen.append(len(given)), head(given)][1])

    on_card(model).logits(batch_of([20, 9], 1))

    assert seen == [rows]


def test_no_more_graphs_are_kept_than_allowed_and_the_first_stay(monkeypatch):
    monkeypatch.setattr(joined_module, "MOST_GRAPHS", 1)
    model, tape = model_of(TokenClassifier, "roberta"), Tape()
    card, padded = on_card(model, tape), TorchBackend(model, CPU)

    for lengths in ([20], [40, 40, 40], [30], [40] * 9):
        batch = batch_of(lengths, 1)
        assert_same(card.logits(batch), padded.logits(batch), batch)

    assert [len(output) for output in tape.outputs] == [64]


def test_batches_beyond_the_largest_bucket_run_without_a_graph(monkeypatch):
    monkeypatch.setattr(shapes, "TOKENS", (64,))
    model, tape = model_of(SequenceClassifier, "bert"), Tape()
    batch = batch_of([40, 25], 2)

    found = on_card(model, tape).logits(batch)

    assert_same(found, TorchBackend(model, CPU).logits(batch), batch)
    assert tape.outputs == []


@pytest.mark.parametrize("kind", [TokenClassifier, SequenceClassifier])
@pytest.mark.parametrize("family", ["roberta", "bert"])
def test_what_is_recorded_depends_on_its_input_alone(kind, family):
    """Traced, with every number of Python fixed; to look at one of a tensor would raise."""
    model = model_of(kind, family)
    loop = library.custom_op(f"unmask_test::{kind.__name__}_{family}", mutates_args=())(_loop)

    def trace(run, static_X):
        traced = make_fx(run)(static_X)
        return lambda: traced(static_X)

    asked = JoinedModel(model.eval().requires_grad_(False), CPU, Kernels(loop, trace))
    padded = TorchBackend(model, CPU)
    for lengths in ([20, 9], [31, 1, 1], [32, 32], [20, 9]):
        batch = batch_of(lengths, model.config.types, len(lengths))
        found = asked.rows(batch).numpy()

        np.testing.assert_allclose(found, real(padded.logits(batch), batch), atol=2e-5)
    assert len(asked._graphs) == 1


def _loop(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    starts_q: torch.Tensor,
    starts_k: torch.Tensor,
    longest_q: int,
    longest_k: int,
) -> torch.Tensor:
    return Loop()(q, k, v, starts_q, starts_k, longest_q, longest_k)


@pytest.mark.parametrize("family", ["roberta", "bert"])
def test_a_batch_goes_over_as_one_vector(family):
    config = model_of(MaskedLM, family).config
    batch = Batch(
        np.array([[7, 1, 8], [9, 1, 1]]),
        np.array([[True, True, True], [True, False, False]]),
        np.array([[0, 0, 1], [0, 0, 0]]),
    )

    vector_X = joined(batch, config, Shape(8, 5, 3))

    ids, positions, types, starts, first = np.split(vector_X, np.cumsum([8, 8, 8, 6]))
    assert vector_X.dtype == np.int32
    assert ids.tolist() == [7, 1, 8, 9, 0, 0, 0, 0]
    counted = [2, 1, 3, 2] if family == "roberta" else [0, 1, 2, 0]
    assert positions.tolist() == [*counted, 0, 0, 0, 0]
    assert types.tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert starts.tolist() == [0, 3, 4, 5, 6, 8]
    assert first.tolist() == [0, 3, 0, 0, 0]
