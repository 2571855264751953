import ast
from importlib.util import find_spec
from typing import Any

import pytest

from movierating.settings import Settings, load_settings
from sandbox.programs import environment, programs, requests_per_second
from sandbox.state import Secrets
from tests.support.recording_proxy import set_proxy

KEYS = Secrets("a", "b", "c", "d", "e", "f")


def environment_of_programs() -> dict[str, str]:
    return environment(load_settings(Settings), [9000, 9001], KEYS)


def test_programs_call_each_other_without_the_proxy(monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "HTTP_PROXY", "http://proxy.example:3128", "corp.example")
    found = environment_of_programs()
    assert found["HTTP_PROXY"] == "http://proxy.example:3128"
    assert {"corp.example", "localhost", "127.0.0.1", "::1"} <= set(found["NO_PROXY"].split(","))
    assert found["no_proxy"] == found["NO_PROXY"]


def test_programs_do_not_see_a_socks_proxy(monkeypatch: pytest.MonkeyPatch):
    set_proxy(monkeypatch, "all_proxy", "socks5://127.0.0.1:1080")
    assert "all_proxy" not in environment_of_programs()


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({}, 1000),
        ({"tmdb_requests_per_second": 20}, 20),
        ({"tmdb_api_key": "0" * 32}, 38),
        ({"tmdb_api_key": "0" * 32, "tmdb_requests_per_second": 20}, 20),
    ],
)
def test_only_the_stand_in_of_tmdb_gets_more_requests(settings: dict[str, Any], limit: int):
    chosen = load_settings(Settings, **settings)
    assert requests_per_second(chosen) == limit  # the size of Airflow's pool
    found = environment(chosen, [9000, 9001], KEYS)
    assert int(found.get("TMDB_REQUESTS_PER_SECOND", chosen.tmdb_requests_per_second)) == limit


def test_scheduler_imports_only_installed_libraries_before_airflow():
    chosen = programs(load_settings(Settings), [9000, 9001])
    (command,) = [each.command for each in chosen if each.name == "airflow-scheduler"]
    imported = [
        name.name
        for each in ast.parse(command[2]).body
        if isinstance(each, ast.Import)
        for name in each.names
    ]
    assert {"pandas", "xgboost"} <= set(imported)
    for name in imported:
        assert find_spec(name.partition(".")[0]), name
    assert command[2].endswith("; from airflow.__main__ import main; main()")
    assert command[3:] == ("scheduler", "--skip-serve-logs")
