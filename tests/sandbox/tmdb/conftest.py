from datetime import date
from typing import Any, Protocol

import pytest
import requests

from sandbox.tmdb.process import RunningStandIn
from sandbox.tmdb.world import World

KEY = "0123456789abcdef0123456789abcdef"


class Get(Protocol):
    """A function that sends a GET request for a path under /3 to the TMDB stand-in."""

    def __call__(
        self, path: str, headers: dict[str, str] | None = None, **params: Any
    ) -> requests.Response: ...


@pytest.fixture
def get(tmdb_stand_in: RunningStandIn) -> Get:
    def ask(path: str, headers: dict[str, str] | None = None, **params: Any) -> requests.Response:
        url = f"{tmdb_stand_in.base_url}{path}"
        return requests.get(url, params={"api_key": KEY} | params, headers=headers, timeout=10)

    return ask


@pytest.fixture(scope="session")
def world() -> World:
    """Create the same invented films as the TMDB stand-in (a local imitation of TMDB) serves.

    Tests compare the responses of `tmdb_stand_in` with them."""
    return World(date(2026, 11, 23))
