"""Language codes of TMDB that ISO 639-1 does not have."""

from typing import Final

# TMDB's code: the ISO 639-2 code of the same language, by which Babel knows its name.
TMDB_LANGUAGES: Final = {"cn": "yue", "xx": "zxx"}
