"""Build the web address of TMDB's poster images."""

from typing import Final
from urllib.parse import urlparse

from movierating.settings import SharedSettings

_ADDRESS: Final = "https://image.tmdb.org/t/p/"
_TMDB: Final = "api.themoviedb.org"


def poster_base_url(settings: SharedSettings, width: int) -> str | None:
    """Return the base URL of posters, to which a film's poster path is appended.

    The result is None if the films come from the TMDB stand-in, because its invented films have no
    posters.

    Args:
        settings: Settings with the address of the TMDB API.
        width: Width of the posters in pixels; TMDB offers 92, 154, 185 and 342.
    """
    is_real = urlparse(settings.tmdb_base_url).hostname == _TMDB
    return f"{_ADDRESS}w{width}" if is_real else None
