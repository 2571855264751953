"""The source of a model's films: TMDB, a file of films (catalogue), or invented films.

Each source has a name. The film store, the manifest of a model and the forecast ledger record it.
Films of two sources may have the same ids, so films of different sources must never be mixed.

The name of TMDB's films is the name of TMDB's server. The local imitation of TMDB (stand-in) sends
the name of its films in the header `STAND_IN_HEADER` of every response. So a client knows that
the films are not TMDB's, whatever the stand-in's address is.
"""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, unquote

STAND_IN_HEADER: Final = "X-Stand-In"
TMDB: Final = "api.themoviedb.org"
_INVENTED: Final = "invented-films@"  # no server's name contains an @
_CATALOGUE: Final = "catalogue-"
# Version 1.0.0 used the stand-in's host as the name of its invented films. These hosts are names;
# `is_invented` finds the others, which are IP addresses of this machine.
_OLD_STAND_INS: Final = frozenset({"tmdb", "localhost", "invented"})


def invented_films(digest: str) -> str:
    """Return the name of an invented world of films; `digest` differs between worlds."""
    return f"{_INVENTED}{digest}"


def catalogue_films(stem: str, digest: str) -> str:
    """Return the name of the films in a file.

    Args:
        stem: The file's name without its extension.
        digest: A digest of the file's content, because two files may have the same name.
    """
    return f"{_catalogue(stem)}@{digest}"


def _catalogue(stem: str) -> str:
    # The name of a source is also the name of a folder, and part of S3 keys.
    return _CATALOGUE + re.sub(r"[^\w.-]", "_", stem)


def is_of_catalogue(source: str, stem: str) -> bool:
    """Return whether the films come from a file with this name."""
    return source.rpartition("@")[0] == _catalogue(stem)


def is_invented(source: str) -> bool:
    """Return whether the films are invented.

    The name counts as one of invented films if it is an address of this machine, because version
    1.0.0 recorded the stand-in's address as the name.
    """
    if source.startswith(_INVENTED) or source in _OLD_STAND_INS:
        return True
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def film_page(source: str, film_id: int) -> str | None:
    """Return the address of a film's page at TMDB; None for an invented film."""
    return None if is_invented(source) else f"https://www.themoviedb.org/movie/{film_id}"


def may_be_joined(one: str | None, other: str | None) -> bool:
    """Return whether films of two published files may stand in one answer.

    Args:
        one: The source of the films in one file; None if the file does not name it, as files of
            version 1.0.0.
        other: The source of those in the other file.
    """
    return one is None or other is None or one == other


def describe(source: str) -> str:
    """Describe a source for a message, such as `invented films (invented-films@1a2b3c4d)`."""
    if source == TMDB:
        return f"TMDB's films ({source})"
    if is_invented(source):
        return f"invented films ({source})"
    if source.startswith(_CATALOGUE):
        return f"the films of a file ({source})"
    return f"the films of {source}"


def header_value(source: str) -> str:
    """Return a source's name as a value of `STAND_IN_HEADER`; a header allows only ASCII."""
    return quote(source, safe="@")


def from_header(value: str) -> str:
    """Return the source that a value of `STAND_IN_HEADER` names."""
    return unquote(value)
