"""Build the film catalogue from the film store and the forecast ledger."""
