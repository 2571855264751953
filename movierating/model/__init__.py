"""Everything between a film and its forecast: features, ONNX model, reasons, similar films."""
