"""A page of one of TMDB's lists that TMDB cannot send, although it answers all other requests."""

from typing import Any

import pytest

from scripts.tmdb.errors import TmdbUnavailableError
from scripts.tmdb.session import TmdbSession


def fail_page(patch: pytest.MonkeyPatch, path: str, number: int) -> None:
    """Let each request for one page of a list fail with HTTP 500, without waits between them."""
    ask = TmdbSession.get

    def get(self: TmdbSession, of: str, query: dict[str, Any]) -> Any:
        if (of, query.get("page")) == (path, number):
            raise TmdbUnavailableError("answered HTTP 500")
        return ask(self, of, query)

    patch.setattr(TmdbSession, "get", get)
    patch.setattr(TmdbSession, "_sleep", lambda *_: None)
