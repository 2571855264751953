"""Evaluate a trained model: error diagnostics, report, W&B tracking, and the production gate."""
