"""The film store: parquet files of every record from TMDB."""
