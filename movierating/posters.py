"""The address of TMDB's poster images."""

from typing import Final
from urllib.parse import urlparse

from movierating.settings import SharedSettings

_ADDRESS: Final = "https://image.tmdb.org/t/p/"
_TMDB: Final = "api.themoviedb.org"


def poster_base_url(settings: SharedSettings, width: int) -> str | None:
    """Return the address to which a film's poster path is appended, or None without posters.

    Posters need an own TMDB key, because TMDB's terms require one, and films from TMDB itself: the
    stand-in's invented films have no posters.

    Args:
        settings: They name the source of films and the key.
        width: In pixels; TMDB offers 92, 154, 185 and 342.
    """
    is_real = urlparse(settings.tmdb_base_url).hostname == _TMDB
    return f"{_ADDRESS}w{width}" if is_real and settings.tmdb_api_key is not None else None
