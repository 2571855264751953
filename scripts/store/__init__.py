"""The film store: parquet files with every film's newest TMDB record and its votes over time."""
