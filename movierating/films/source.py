"""The source of a model's films: TMDB, a file of films (catalogue), or invented films.

A source has a name, which the film store, the manifest of a model and the forecast ledger record.
Films of two sources may have the same ids, so they must never be mixed.

TMDB's films have the name of TMDB's server. The local imitation of TMDB (stand-in) gives the names
of its films itself, in the header `STAND_IN_HEADER` of every response: whoever asks it knows that
the films are not TMDB's, whatever its address is.
"""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, unquote

STAND_IN_HEADER: Final = "X-Stand-In"
TMDB: Final = "api.themoviedb.org"
_INVENTED: Final = "invented-films@"  # no server's name contains an @
_CATALOGUE: Final = "catalogue-"
# Version 1.0.0 named the stand-in's invented films by its address. These two are the stand-in's
# name in `make trial`, and a name of this machine; the others are addresses of this machine.
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

    A server on this machine that does not say what it serves counts as a stand-in: version 1.0.0
    recorded only its address.
    """
    if source.startswith(_INVENTED) or source in _OLD_STAND_INS:
        return True
    try:
        address = ip_address(source)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def describe(source: str) -> str:
    """Return words for a source of films, such as `invented films (invented-films@1a2b3c4d)`."""
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
