"""Test that `make up` starts its services again if the settings name another TMDB or S3.

The services themselves are not started here; the integration tests do that."""

import os
from pathlib import Path
from typing import Any

import pytest

from movierating.settings import Settings, load_settings
from sandbox import up as module
from sandbox.state import Secrets
from sandbox.up import up
from tests.support.stand_in import TMDB_KEY


class Services:
    """Records what `up` does with the services, instead of starting them."""

    def __init__(self) -> None:
        self.are_running = False
        self.done: list[str] = []

    def supervisor(self) -> object | None:
        """Return an object if the services are running."""
        return self if self.are_running else None

    def start(self, *_: Any) -> None:
        """Start the services."""
        self.are_running = True
        self.done.append("start")

    def stop(self) -> None:
        """Stop the services."""
        self.are_running = False
        self.done.append("stop")


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Services:
    services, keys = Services(), Secrets._new()
    monkeypatch.setattr(module, "supervision", services)
    monkeypatch.setattr(module, "_prepare", lambda: keys)
    monkeypatch.setattr(module, "SETTINGS_MARK", tmp_path / "settings.mark")
    monkeypatch.setattr(module, "_check", lambda _: None)
    monkeypatch.setattr(module, "_start", services.start)
    monkeypatch.setattr(module, "_run_pipeline", lambda *_: services.done.append("pipeline"))
    monkeypatch.setattr(module, "print_summary", lambda *_: None)
    monkeypatch.setattr(module, "served_version", lambda _: "v1")
    return services


@pytest.mark.parametrize(
    "change",
    [
        {"tmdb_api_key": TMDB_KEY},
        {"tmdb_catalogue": "films.parquet"},
        {"tmdb_base_url": "https://tmdb.example/3"},
        {"s3_bucket_name": "films"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_services_start_again_with_another_source_of_films_or_bucket(
    services: Services, tmp_path: Path, change: dict[str, Any]
):
    said: list[str] = []
    up(load_settings(Settings), said.append)
    up(load_settings(Settings, collect_max_films=5), said.append)
    assert services.done == ["start", "pipeline"]
    changed = load_settings(Settings, **change)
    up(changed, said.append)
    assert services.done == ["start", "pipeline", "stop", "start", "pipeline"]
    assert said == [
        "the settings name another TMDB or S3 than before, so the services are started again"
    ]
    up(changed, said.append)
    assert len(services.done) == 5
    assert TMDB_KEY not in (tmp_path / "settings.mark").read_text()


def test_services_start_again_with_another_file_of_the_same_name(
    services: Services, tmp_path: Path
):
    path = tmp_path / "films.parquet"
    path.write_bytes(b"old")
    settings = load_settings(Settings, tmdb_catalogue=str(path))
    up(settings, lambda _: None)
    os.utime(path, ns=(0, 0))
    up(settings, lambda _: None)
    assert services.done == ["start", "pipeline", "stop", "start", "pipeline"]
