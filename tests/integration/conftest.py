"""Fixtures that start the whole system as `make up` does, once for all integration tests."""

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
    """The running system: the folder with its code (checkout), and the output of `make up`."""

    checkout: Checkout
    printed: str


def secrets_of(checkout: Checkout) -> dict[str, str]:
    """Read the secrets that `make up` has generated in a copy of the project, by name."""
    kept: dict[str, str] = json.loads((checkout.folder / ".sandbox" / "secrets.json").read_text())
    return kept


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Copy this project's folder, and yield the copy; nothing runs in it yet."""
    with copied(tmp_path_factory.mktemp("check out")) as checkout:
        if not (checkout.folder / ".venv" / "sandbox").exists():
            pytest.skip("needs the environments that `make install` makes")
        # Use a time zone in which it is noon now: then no DAG's schedule starts a run by itself.
        hours_ahead = 12 - datetime.now(UTC).hour
        checkout.environment["PIPELINE_TIMEZONE"] = f"Etc/GMT{-hours_ahead:+d}"
        yield checkout


@pytest.fixture(scope="session")
def running(checkout: Checkout) -> Running:
    """Start the system, and wait for its first pipeline run, which uses invented films."""
    # The proxy here does not exist: nothing that `make up` starts may need a company's proxy.
    dead_proxy = "http://127.0.0.1:1"
    proxies = {
        "http_proxy": dead_proxy,
        "https_proxy": dead_proxy,
        "all_proxy": "socks5://127.0.0.1:1",
    }
    # Without names of people: names that the first run does not know would make another version.
    result = checkout.sandbox("up", COLLECT_MAX_FILMS=FILMS, COLLECT_MAX_PEOPLE="0", **proxies)
    assert result.returncode == 0, result.stdout + _tail(checkout.folder / ".sandbox" / "logs")
    return Running(checkout, result.stdout)


@pytest.fixture(scope="session")
def tmdb_of_today() -> Iterator[RunningStandIn]:
    """Start a TMDB stand-in (a local imitation of TMDB) with today's real date.

    It serves programs in other processes, whose date the tests cannot set."""
    with running_stand_in() as stand_in:
        yield stand_in


def _tail(logs: Path) -> str:
    """Return the last lines of each log file in a folder."""
    return "".join(
        f"\n--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        for log in sorted(logs.glob("*.log"))
    )
