"""The forecast ledger's logic: select, forecast and score films, detect drift, summarise."""
