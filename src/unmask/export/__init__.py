"""Models to ONNX, with a parity report."""
