"""All steps from a film's facts to its forecast: features, ONNX model, reasons, similar films."""
