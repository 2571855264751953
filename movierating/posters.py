"""Where posters are: at TMDB, for who has a key of its own to TMDB's content."""

from typing import Final
from urllib.parse import urlparse

from movierating.settings import SharedSettings

_ADDRESS: Final = "https://image.tmdb.org/t/p/"
_TMDB: Final = "api.themoviedb.org"


def poster_base_url(settings: SharedSettings, width: int) -> str | None:
    """What a film's poster path is appended to; None where no posters may be shown.

    Args:
        settings: With a key, and films from TMDB itself; a stand-in's films have no posters.
        width: In pixels, one of those TMDB offers: 92, 154, 185, 342.
    """
    is_real = urlparse(settings.tmdb_base_url).hostname == _TMDB
    return f"{_ADDRESS}w{width}" if is_real and settings.tmdb_api_key is not None else None
