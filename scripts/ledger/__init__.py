"""Parts of the forecast ledger that only the pipeline needs."""
