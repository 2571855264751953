"""The forecast ledger: its records, and how they are stored in S3."""
