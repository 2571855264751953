"""A local stand-in for TMDB's v3 API, which serves invented films or those of a parquet file."""
