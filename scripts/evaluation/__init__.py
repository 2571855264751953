"""Evaluate a trained model: diagnostics, report, W&B logs, and the check before production."""
