"""Access to TMDB's API, for the pipeline and the API: the key, and the source of the films.

Nothing here logs the API key.
"""

import logging
import re
from typing import Final
from urllib.parse import urlparse

import requests

from movierating.films.source import STAND_IN_HEADER, TMDB, from_header

NOT_FOUND_CODE: Final = 34  # TMDB's own status code for a film, person or list that it lacks
_TMDB_HOSTS: Final = frozenset({TMDB, "api.tmdb.org"})
_V3_KEY: Final = re.compile(r"[0-9a-f]{32}")


class _KeyFilter(logging.Filter):
    """Masks `api_key=` in the debug lines of urllib3, which contain whole URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = re.sub(r"api_key=\w+", "api_key=***", record.getMessage())
        record.args = ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_KeyFilter())


def authenticate(session: requests.Session, key: str) -> None:
    """Let a session send the key with each request.

    A read access token goes into a header; a v3 key works only as a query parameter.
    """
    if _V3_KEY.fullmatch(key):
        session.params = {"api_key": key}
    else:
        session.headers["Authorization"] = f"Bearer {key}"


def server_name(base_url: str) -> str:
    """Return the name of the source of the films that a server sends, if it is not a stand-in.

    TMDB's own server has two addresses; both give the same name.
    """
    host = urlparse(base_url).hostname or "unknown"
    return TMDB if host in _TMDB_HOSTS else host


def source_of(answer: requests.Response, base_url: str) -> str:
    """Return where the films in a server's answer come from, such as TMDB or the stand-in's films.

    Args:
        answer: The server's answer to any request.
        base_url: The address of the server, TMDB_BASE_URL.
    """
    stand_in = answer.headers.get(STAND_IN_HEADER)
    return from_header(stand_in) if stand_in else server_name(base_url)
