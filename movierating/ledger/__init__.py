"""The forecast ledger: its records, and where they are kept in a bucket."""
