"""Test that TMDB clients from npm work with the TMDB stand-in (a local imitation of TMDB).

As `test_clients.py` does with the clients from PyPI."""

import json
from typing import Final

import numpy as np
import pytest

from sandbox.state import ROOT
from sandbox.tmdb import parts
from sandbox.tmdb.process import RunningStandIn
from sandbox.tmdb.world import World
from tests.sandbox.tmdb.conftest import KEY
from tests.support.node import NPM_TOOLS, needs_npm_tools, run_with_node

pytestmark = [pytest.mark.generators, needs_npm_tools]

PROGRAM: Final = ROOT / "tests" / "support" / "tmdb_clients.mjs"
TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJmYWtlIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize("library", ["moviedb-promise", "tmdb-ts"])
def test_client_calls_every_route(
    library: str, tmdb_stand_in: RunningStandIn, world: World
) -> None:
    film = world.film(int(np.argmax(world.columns.vote_count)))
    wanted = {
        "library": library,
        "token": TOKEN,
        "id": film.id,
        "imdb_id": film.imdb_id,
        "title": film.title,
        "actor": {"id": film.cast[0].id, "name": film.cast[0].name},
        "parts": [*parts.PARTS],
    }
    run_with_node(
        NPM_TOOLS.parent, "node", PROGRAM, tmdb_stand_in.control_url, KEY, json.dumps(wanted)
    )
