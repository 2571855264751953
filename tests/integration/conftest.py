"""The whole system, started once as `make up` starts it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.checkout import Checkout, copied
from sandbox.tmdb.process import RunningStandIn
from sandbox.tmdb.process import running as running_stand_in

FILMS = "400"


@dataclass(frozen=True)
class Running:
    """A system that is up, and what `make up` printed."""

    checkout: Checkout
    printed: str


def secrets_of(checkout: Checkout) -> dict[str, str]:
    """Load the secrets that the sandbox in a checkout generated."""
    kept: dict[str, str] = json.loads((checkout.folder / ".sandbox" / "secrets.json").read_text())
    return kept


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy of the checkout; nothing runs in it yet."""
    with copied(tmp_path_factory.mktemp("check out")) as checkout:
        if not (checkout.folder / ".venv" / "sandbox").exists():
            pytest.skip("needs the environments that `make install` makes")
        # Where it is noon no schedule starts a run beside those that the tests start.
        hours_ahead = 12 - datetime.now(UTC).hour
        checkout.environment["PIPELINE_TIMEZONE"] = f"Etc/GMT{-hours_ahead:+d}"
        yield checkout


@pytest.fixture(scope="session")
def running(checkout: Checkout) -> Running:
    """The system after its first run of the pipeline on invented films."""
    result = checkout.sandbox("up", COLLECT_MAX_FILMS=FILMS)
    assert result.returncode == 0, result.stdout + _tail(checkout.folder / ".sandbox" / "logs")
    return Running(checkout, result.stdout)


@pytest.fixture(scope="session")
def tmdb_of_today() -> Iterator[RunningStandIn]:
    """A TMDB stand-in with today's date, for programs whose date cannot be chosen."""
    with running_stand_in() as stand_in:
        yield stand_in


def _tail(logs: Path) -> str:
    return "".join(
        f"\n--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        for log in sorted(logs.glob("*.log"))
    )
