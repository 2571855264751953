"""Evaluate models: diagnostics, the report, tracking in W&B, and the gate before production."""
