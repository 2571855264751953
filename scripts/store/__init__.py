"""The film store: parquet files with the newest record and the vote history of every film."""
