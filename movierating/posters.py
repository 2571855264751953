"""Build the web addresses of TMDB's images: posters, and photos of people."""

from typing import Final
from urllib.parse import urlparse

from movierating.settings import SharedSettings

_ADDRESS: Final = "https://image.tmdb.org/t/p/"
_TMDB: Final = "api.themoviedb.org"


def poster_base_url(settings: SharedSettings, width: int) -> str | None:
    """Return the base URL of images, to which the path of a poster or a photo is appended.

    The result is None if the films come from the TMDB stand-in, because its invented films have no
    posters.

    Args:
        settings: Settings with the address of the TMDB API.
        width: Width of the images in pixels; TMDB offers 92, 154, 185 and 342 for posters, and 45
            and 185 for photos of people.
    """
    is_real = urlparse(settings.tmdb_base_url).hostname == _TMDB
    return f"{_ADDRESS}w{width}" if is_real else None
