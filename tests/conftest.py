"""What several tests start or look for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.tmdb.process import RunningStandIn, running

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def tmdb_shared() -> Path:
    """The folder of real TMDB answers and catalogues, which the project does not ship."""
    folder = SHARED / "tmdb"
    if not folder.is_dir():
        pytest.skip("needs recorded TMDB answers in ../shared/tmdb, which are not shipped")
    return folder


@pytest.fixture(scope="session")
def tmdb_stand_in() -> Iterator[RunningStandIn]:
    """A TMDB stand-in with the synthetic world, in November 2026, that limits no one's rate."""
    with running("--today", "2026-11-23", "--requests-per-second", "100000") as stand_in:
        yield stand_in
