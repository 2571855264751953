"""TMDB's own language codes, which are not in ISO 639-1."""

from typing import Final

# From TMDB's code to the code that Babel uses for the same language: Cantonese, and "no language".
TMDB_LANGUAGES: Final = {"cn": "yue", "xx": "zxx"}
