"""TMDB: its client, the validation of its records, and which films to fetch."""
