"""From a film to a rating: features, the ONNX model, and what explains its forecast."""
