"""Find out which films TMDB_BASE_URL serves: TMDB's, those of a file, or invented ones."""

from pathlib import Path

from movierating.films.source import TMDB, describe, is_of_catalogue
from movierating.settings import PipelineSettings, SettingsError
from movierating.tmdb_access import server_name
from scripts.tmdb.client import Tmdb


def film_source(settings: PipelineSettings) -> str:
    """Return the name of the source of the films, as `movierating.films.source` defines it.

    If the address is not TMDB's own, this asks the server in one request, because the local
    imitation of TMDB may serve other films at the same address each time it is started.

    Raises:
        SettingsError: TMDB_CATALOGUE names a file, and the server serves other films.
        TmdbError: The server refuses the request or is unavailable.
    """
    source = server_name(settings.tmdb_base_url)
    if source != TMDB:
        with Tmdb(settings) as tmdb:
            source = tmdb.film_source()
    catalogue = settings.tmdb_catalogue
    if catalogue and not is_of_catalogue(source, Path(catalogue).stem):
        raise SettingsError(
            f"TMDB_CATALOGUE is set, but TMDB_BASE_URL serves {describe(source)}; unset "
            "TMDB_CATALOGUE, or start `python -m sandbox.tmdb --catalogue` with this file"
        )
    return source
