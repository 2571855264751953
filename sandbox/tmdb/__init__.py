"""The TMDB stand-in: a local program that imitates version 3 of TMDB's API.

It serves invented films, or the films in a parquet file.
"""
