"""Functions that fill the forecast ledger: select films, forecast and score them, detect drift."""
