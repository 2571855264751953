"""A local stand-in for TMDB's v3 API; it serves invented films or the films in a parquet file."""
