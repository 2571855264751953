"""The steps behind the forecast ledger: select films, forecast and score them, detect drift."""
