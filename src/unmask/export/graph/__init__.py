"""An encoder and its head as an ONNX graph, written node by node."""
