"""What a runtime has made of a graph: its fused operators, counted."""

import tempfile
from collections import Counter
from pathlib import Path

from unmask.core.errors import UserError
from unmask.infer.backend import ONNX_FILE

FUSED = ("SkipLayerNormalization", "BiasGelu", "FusedMatMul", "MatMulIntegerToFloat")
"""LayerNorm with the sum before it, GELU with the bias before it, scaled scores of attention, and
products of 8 bits."""


def fused(folder: Path) -> dict[str, int]:
    """Count ONNX Runtime's fused operators in an export; UserError where it cannot load it."""
    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory() as place:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(Path(place) / ONNX_FILE)
        try:
            onnxruntime.InferenceSession(
                str(folder / ONNX_FILE), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has no public base class for its errors
            raise UserError(
                f"ONNX Runtime cannot load the export ({error})", "report it with the config.json"
            ) from None
        graph = onnx.load(options.optimized_model_filepath, load_external_data=False).graph
    counts = Counter(node.op_type for node in graph.node)
    return {name: counts[name] for name in FUSED}


def expected(layers: int, products: int, *, one_shape: bool = False) -> dict[str, int]:
    """What is to be fused in an encoder of so many layers, of whose linear layers so many products
    are of 8 bits. Of one shape, products are Gemm, which takes the bias of GELU itself.
    """
    return {
        "SkipLayerNormalization": 2 * layers,
        "BiasGelu": 0 if one_shape else layers,
        "FusedMatMul": layers,
        "MatMulIntegerToFloat": products,
    }
