"""TMDB: its client, and what its answers must look like."""
