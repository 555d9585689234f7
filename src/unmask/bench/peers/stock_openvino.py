"""OpenVINO as it comes: its converter on the model of transformers, its defaults.

Legend: B batch, L length.
"""

import warnings
from typing import Any

from unmask.bench.peers import eager, stock_onnx
from unmask.bench.peers.batching import PLACES, Arrays, answering, fed
from unmask.bench.peers.opening import PeerOpening
from unmask.bench.worker import Engine
from unmask.core import files, machine
from unmask.core.errors import UserError
from unmask.infer import openvino_runtime

CONVERTED = "openvino.xml"
HINTS = {"fp32": "f32", "bf16": "bf16"}
BF16 = {"avx512_bf16", "amx_bf16", "bf16"}


def prepare(peer: PeerOpening) -> None:
    """Convert in memory, weights as they are; what lies there already is kept."""
    import torch

    openvino = openvino_runtime.imported("the peer openvino")
    if (peer.prepared / CONVERTED).exists():
        return
    model = eager.load(peer, dtype=torch.float32)
    sample = stock_onnx._sample(model)
    inputs = {name: sample[place] for name, place in eager.names(model).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted: Any = openvino.convert_model(model, example_input=inputs)
    peer.prepared.mkdir(parents=True, exist_ok=True)
    openvino.save_model(converted, peer.prepared / CONVERTED, compress_to_fp16=False)


def opened(peer: PeerOpening) -> Engine:
    """Load what was prepared; one batch at a time on all threads."""
    openvino = openvino_runtime.imported("the peer openvino")
    if peer.number_format == "bf16" and not BF16 & set(machine.describe()["instruction_sets"]):
        raise UserError("this processor has no bf16 instructions", "measure fp32")
    model: Any = openvino.Core().compile_model(
        peer.prepared / CONVERTED,
        "CPU",
        {
            "INFERENCE_PRECISION_HINT": HINTS[peer.number_format],
            "INFERENCE_NUM_THREADS": peer.threads,
            "PERFORMANCE_HINT": "LATENCY",
        },
    )
    request = model.create_infer_request()
    inputs = {
        name: len(item.partial_shape) == 3
        for item in model.inputs
        for name in item.get_names() & PLACES.keys()
    }

    def forward(arrays: Arrays) -> object:
        return request.infer(fed(arrays, inputs), share_inputs=True)

    pad_id = files.read_json(peer.model / "config.json")["pad_token_id"]
    told = f"openvino {peer.number_format}, as it comes"
    return Engine(told, peer.number_format, 1, answering(forward, peer.order, pad_id))
