"""ONNX Runtime as its documentation has it: torch's exporter, its own optimizer, its own INT8.

Attention is exported in the eager form, the one that the optimizer knows how to fuse.

Legend: B batch, L length.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from unmask.bench.peers import eager
from unmask.bench.peers.batching import Arrays, answering, fed
from unmask.bench.peers.opening import PeerOpening
from unmask.bench.worker import Engine
from unmask.core import files

EXPORTED, OPTIMIZED, QUANTIZED = "exported.onnx", "fp32.onnx", "int8.onnx"
OPSET = 17
SAMPLE = (2, 8)
"""Batch and length to trace with."""


def prepare(peer: PeerOpening) -> None:
    """Export, optimize, and for int8 quantize; what lies there already is kept."""
    with _quiet():
        if not (peer.prepared / OPTIMIZED).exists():
            export(peer)
            _optimize(peer)
        if peer.number_format == "int8" and not (peer.prepared / QUANTIZED).exists():
            _quantize(peer)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to themselves what exporter, optimizer and quantizer have to say of one another."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def opened(peer: PeerOpening) -> Engine:
    """Load what was prepared; one batch at a time on all threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = peer.threads
    name = QUANTIZED if peer.number_format == "int8" else OPTIMIZED
    session = onnxruntime.InferenceSession(
        peer.prepared / name, options, providers=["CPUExecutionProvider"]
    )
    inputs = {item.name: len(item.shape) == 3 for item in session.get_inputs()}

    def forward(arrays: Arrays) -> object:
        return session.run(None, fed(arrays, inputs))

    pad_id = files.read_json(peer.model / "config.json")["pad_token_id"]
    told = f"onnxruntime {peer.number_format}, stock"
    return Engine(told, peer.number_format, 1, answering(forward, peer.order, pad_id))


def export(peer: PeerOpening) -> None:
    """Trace the eager model with real ids and masks; batch and length stay free."""
    import torch

    model = eager.load(peer, dtype=torch.float32, attn_implementation="eager")
    model.config.return_dict = False
    inputs = eager.names(model)
    sample = _sample(model)
    free = {0: "batch", 2 if eager.takes_choices(model) else 1: "length"}
    peer.prepared.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model,
        args=(),
        kwargs={name: sample[place] for name, place in inputs.items()},
        f=str(peer.prepared / EXPORTED),
        input_names=list(inputs),
        output_names=["logits"],
        dynamic_axes=dict.fromkeys(inputs, free) | {"logits": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )


def _sample(model: Any) -> list[Any]:  # noqa: ANN401
    import torch

    ids_BL = np.random.default_rng(0).integers(5, model.config.vocab_size, SAMPLE)
    mask_BL = np.ones(SAMPLE, np.int64)
    mask_BL[-1, -2:] = 0
    ids_BL[mask_BL == 0] = model.config.pad_token_id
    arrays = [torch.from_numpy(one) for one in (ids_BL, mask_BL, np.zeros(SAMPLE, np.int64))]
    return [one[:, None] for one in arrays] if eager.takes_choices(model) else arrays


def _quantize(peer: PeerOpening) -> None:
    """Quantize what was optimized; its fused operators need to be told that they give floats."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        peer.prepared / OPTIMIZED,
        peer.prepared / QUANTIZED,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _optimize(peer: PeerOpening) -> None:
    from onnxruntime.transformers import optimizer

    config = files.read_json(peer.model / "config.json")
    model = optimizer.optimize_model(
        str(peer.prepared / EXPORTED),
        model_type="bert",
        num_heads=config["num_attention_heads"],
        hidden_size=config["hidden_size"],
        opt_level=1,
    )
    model.save_model_to_file(str(peer.prepared / OPTIMIZED))
