import ast
import shlex
import subprocess
import sys
from configparser import ConfigParser
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from movierating.settings import Settings, load_settings
from sandbox import programs as module
from sandbox import state
from sandbox.programs import (
    Program,
    environment,
    programs,
    requests_per_second,
    write_supervisor_config,
)
from sandbox.state import Secrets
from tests.support.recording_proxy import set_proxy

KEYS = Secrets(**{each.name: f"the {each.name}" for each in fields(Secrets)})


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


def visible(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the environment variables that one of the programs of `make up` gets."""
    for each in ("AIRFLOW_CONN_OTHER", "SOME_TOKEN", "ANOTHER_PASSWORD"):
        monkeypatch.setenv(each, f"the {each}")
    settings = load_settings(Settings, api_key="the-key-of-the-page", wandb_api_key="wandb")
    merged = environment(settings, [9000, 9001], KEYS) | {"WANDB_API_KEY": "wandb"}
    (program,) = [each for each in programs(settings, [9000, 9001]) if each.name == name]
    given = {own: merged[other] for own, other in program.replaced.items()}
    hidden = program.hidden(merged)
    return {each: value for each, value in (merged | given).items() if each not in hidden}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("api", {KEYS.s3_reader_key, KEYS.s3_reader_secret, KEYS.tmdb_token}),
        ("page", {"the-key-of-the-page"}),
        ("tmdb", set()),
        (
            "s3",
            {KEYS.s3_key, KEYS.s3_secret, KEYS.s3_reader_key, KEYS.s3_reader_secret},
        ),
        (
            "airflow-scheduler",
            {
                KEYS.s3_key,
                KEYS.s3_secret,
                KEYS.tmdb_token,
                KEYS.jwt,
                KEYS.session,
                KEYS.fernet,
                "wandb",
                "the AIRFLOW_CONN_OTHER",
                "the SOME_TOKEN",
                "the ANOTHER_PASSWORD",
            },
        ),
    ],
)
def test_program_gets_only_the_secrets_that_it_uses(
    name: str, own: set[str], monkeypatch: pytest.MonkeyPatch
):
    values = visible(name, monkeypatch).values()
    secrets = {value for value in values if value.startswith(("the ", "the-"))}
    secrets |= {"wandb"} & set(visible(name, monkeypatch).values())
    assert secrets == own
    assert "PATH" in visible(name, monkeypatch)


def test_airflow_signs_sessions_and_tokens_with_different_secrets():
    found = environment_of_programs()
    assert found["AIRFLOW__API__SECRET_KEY"] != found["AIRFLOW__API_AUTH__JWT_SECRET"]
    fresh = Secrets._new()
    values = list(fresh.__dict__.values())
    assert len(set(values)) == len(values)


def test_supervisor_hides_and_replaces_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the program of a section as `supervisor` does, and look at its environment."""
    monkeypatch.setattr(module, "SUPERVISOR_CONFIG", tmp_path / "supervisord.conf")
    printing = (sys.executable, "-c", "import os; print(dict(os.environ))")
    program = Program("api", printing, frozenset({"AWS_ACCESS_KEY_ID"}), {"AWS_ACCESS_KEY_ID": "B"})
    variables = {"AWS_ACCESS_KEY_ID": "writer", "B": "reader", "TMDB_API_KEY": "x", "PATH": "/bin"}
    write_supervisor_config([program], variables, "/tmp/socket")
    read = ConfigParser(interpolation=None)
    read.read(tmp_path / "supervisord.conf")
    section = read["program:api"]
    assert section["environment"] == 'AWS_ACCESS_KEY_ID="%(ENV_B)s"'
    command = shlex.split(section["command"].replace("%%", "%"))
    shown = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert "TMDB_API_KEY" not in shown.stdout


def test_stored_secrets_of_an_older_version_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state, "FOLDER", tmp_path)
    (tmp_path / "secrets.json").write_text('{"jwt": "kept", "forgotten": "x"}')
    found = Secrets.kept()
    assert found.jwt == "kept"
    assert Secrets.kept() == found
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
