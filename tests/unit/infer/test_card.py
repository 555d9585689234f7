"""What runs a model on a card: which batches need padding, what is refused, and the real thing."""

import contextlib
import dataclasses
import inspect

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.infer import card
from unmask.infer.card import CudaGraphs, kernels_of
from unmask.infer.torch_backend import TorchBackend
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, SequenceClassifier, TokenClassifier, build
from unmask.model.init import initialise
from unmask.tokenizer.batch import Batch

CUDA = torch.device("cuda")
CONFIG = ModelConfig(
    family="roberta",
    vocabulary=120,
    layers=2,
    width=32,
    heads=4,
    feed_forward=48,
    max_length=40,
    types=1,
    norm_eps=1e-5,
    pad_id=1,
)


@pytest.fixture
def flash(monkeypatch):
    monkeypatch.setattr(card, "has_flash_attention", lambda device: True)
    monkeypatch.setattr(card, "CudaGraphs", lambda device: None)


@pytest.mark.parametrize(
    ("device", "precision"), [("cpu", "fp32"), ("cpu", "bf16"), ("cuda", "fp32")]
)
def test_off_a_card_and_in_32_bits_batches_are_padded(device, precision, flash):
    assert kernels_of(torch.device(device), precision, CONFIG) is None


def test_a_card_without_flash_attention_pads_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(card, "has_flash_attention", lambda device: False)

    assert kernels_of(CUDA, "fp16", dataclasses.replace(CONFIG, width=48)) is None
    assert "torch has no flash attention for this card" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("built", "capability", "found"),
    [(True, (7, 5), False), (True, (8, 0), True), (True, (9, 0), True), (False, (9, 0), False)],
)
def test_flash_attention_is_for_cards_from_ampere_on(built, capability, found, monkeypatch):
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: built)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)

    assert card.has_flash_attention(CUDA) is found


@pytest.mark.parametrize(("width", "size"), [(48, 12), (1056, 264)])
def test_heads_of_a_size_that_flash_attention_does_not_take_are_refused(width, size, flash):
    with pytest.raises(UserError, match=rf"--engine.precision bf16: heads of size {size};") as got:
        kernels_of(CUDA, "bf16", dataclasses.replace(CONFIG, width=width))

    assert "a multiple of 8, at most 256" in str(got.value)
    assert got.value.hint == "use --engine.precision fp32"


def test_what_attention_is_called_with_is_what_torch_takes(flash):
    """On tensors without numbers, which torch's own function takes anywhere."""
    kernels = kernels_of(CUDA, "bf16", CONFIG)
    q_QHK = torch.empty(3, 4, 8, dtype=torch.bfloat16, device="meta")
    k_THK = torch.empty(14, 4, 8, dtype=torch.bfloat16, device="meta")
    starts_S = torch.empty(4, dtype=torch.int32, device="meta")

    mixed_QHK = kernels.attend(q_QHK, k_THK, k_THK, starts_S, starts_S, 1, 12)

    assert (mixed_QHK.shape, mixed_QHK.dtype) == (q_QHK.shape, torch.bfloat16)


def test_a_graph_is_warmed_up_and_captured_on_a_stream_beside(monkeypatch):
    """The calls and their order only: without a card nothing is captured."""
    did = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_stream(self, other):
            did.append(f"{self.name} waits for {other.name}")

    class Graph:
        def replay(self):
            did.append("replay")

    takes = inspect.signature(torch.cuda.graph)

    @contextlib.contextmanager
    def capture(*given, **named):
        bound = takes.bind(*given, **named).arguments
        assert bound["capture_error_mode"] == "thread_local"
        did.append(f"capture into {bound['pool']} on {bound['stream'].name}")
        yield

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream("side"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("main"))
    monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "the pool")
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", capture)

    def run(given):
        did.append("run")
        return given + 1

    replay = CudaGraphs(CUDA)(run, torch.zeros(3))

    assert did == [
        "side waits for main",
        *["run"] * card.WARM_UPS,
        "main waits for side",
        "capture into the pool on side",
        "run",
    ]
    assert replay().tolist() == [1, 1, 1]
    assert did[-1] == "replay"


def batch_of(lengths, seed):
    numbers = np.random.default_rng(seed)
    mask_BL = np.arange(max(lengths)) < np.array(lengths)[:, None]
    ids_BL = np.where(mask_BL, numbers.integers(2, 120, mask_BL.shape), 1)
    return Batch(ids_BL, mask_BL, np.zeros_like(ids_BL))


def model_of(kind):
    model = build(kind, CONFIG, {MaskedLM: ()}.get(kind, ("a", "b")))
    initialise(model, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():  # larger than at the start, so that errors show
            parameter += 0.2 * torch.randn(parameter.shape, generator=generator)
    return model


needs_card = pytest.mark.skipif(
    not (torch.cuda.is_available() and card.has_flash_attention(CUDA)),
    reason="needs a card with flash attention",
)


@needs_card
@pytest.mark.parametrize("kind", [MaskedLM, SequenceClassifier, TokenClassifier])
@pytest.mark.parametrize(("precision", "error"), [("bf16", 0.3), ("fp16", 0.03)])
def test_graphs_on_a_card_answer_as_single_texts_in_32_bits_do(kind, precision, error):
    exact = TorchBackend(model_of(kind), torch.device("cpu"))
    asked = TorchBackend(model_of(kind), CUDA, precision)
    batches = [
        batch_of(lengths, seed)
        for seed, lengths in enumerate(([20, 9], [31, 1, 1], [40, 33, 2], [1], [40] * 300))
    ]

    for batch in (*batches, *batches):
        found = asked.logits(batch)
        for row, length in enumerate(batch.mask_BL.sum(1)[:5]):
            part = np.s_[row : row + 1, :length]
            single = Batch(batch.ids_BL[part], batch.mask_BL[part], batch.types_BL[part])
            own = found[part] if found.ndim == 3 else found[row : row + 1]
            np.testing.assert_allclose(own, exact.logits(single), atol=error, rtol=0)
    assert len(asked._joined._graphs) == 2


@needs_card
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_a_replay_waits_for_nothing_on_the_card():
    asked = TorchBackend(model_of(TokenClassifier), CUDA, "bf16")
    batch = batch_of([20, 9], 0)
    asked.logits(batch)

    torch.cuda.set_sync_debug_mode("error")
    try:
        with torch.inference_mode():
            asked._joined.rows(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
