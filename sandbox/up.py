"""`make up`: start everything, run the pipeline once, return when its model answers."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import requests

from movierating.errors import ExplainedError
from movierating.settings import Settings
from sandbox import supervision
from sandbox.airflow import AirflowClient
from sandbox.programs import (
    AIRFLOW_USER,
    environment,
    programs,
    s3_url,
    uses_stand_in_for_s3,
    uses_stand_in_for_tmdb,
    write_airflow_password,
    write_supervisor_config,
)
from sandbox.state import FOLDER, HOST, LOGS, ROOT, Secrets, free_ports, is_taken

_WAIT_SECONDS: Final = 90
_PROGRESS_SECONDS: Final = 3
_SAMPLE: Final = {
    "overview": "A gifted young cook returns to her village by the sea and wins back the trust "
    "of a family that had given up hope.",
    "genres": ["Drama"],
    "language": "ko",
    "runtime": 112,
}

Say = Callable[[str], None]


class StepError(ExplainedError, RuntimeError):
    """A step of `make up` failed; the message says which, and where its log is."""


def up(settings: Settings, say: Say) -> None:
    """Start everything, run the pipeline once, and show what its model says.

    Where everything runs already and a model answers, only show it.

    Raises:
        StepError: A step failed. What was started before the pipeline is ended again;
            when the pipeline itself failed, Airflow stays up so that one can look.
    """
    keys = _prepare()
    is_fresh = supervision.supervisor() is None
    if is_fresh:
        _check(settings)
        try:
            _start(settings, keys, say)
        except BaseException:
            supervision.stop()
            raise
    if is_fresh or _served_version(settings) is None:
        _run_pipeline(settings, keys, say)
    _show(settings, keys, say)


def _prepare() -> Secrets:
    LOGS.mkdir(parents=True, exist_ok=True)
    return Secrets.kept()


def _check(settings: Settings) -> None:
    for name in ("airflow_port", "api_port", "ui_port"):
        port = getattr(settings, name)
        if is_taken(port):
            raise StepError(
                f"port {port} is taken: end what uses it, or set {name.upper()} in .env"
            )
    catalogue = settings.tmdb_catalogue
    if catalogue and not Path(catalogue).is_file():
        raise StepError(f"TMDB_CATALOGUE: there is no file {catalogue}")


def _start(settings: Settings, keys: Secrets, say: Say) -> None:
    ports = free_ports()
    chosen = programs(settings, ports)
    merged = environment(settings, ports, keys)
    write_supervisor_config(chosen, supervision.socket_path())
    write_airflow_password(keys)
    say("starting the services; logs are in .sandbox/logs")
    supervision.start(merged)
    migration = _launch("airflow-migrate", ["-m", "airflow", "db", "migrate"], merged)
    if uses_stand_in_for_s3(settings):
        _wait("s3", lambda: _answers(s3_url(ports)))
    if uses_stand_in_for_tmdb(settings):
        _wait("tmdb", lambda: _answers(merged["TMDB_BASE_URL"]))
    say("checking TMDB, the bucket and the working folder")
    _finish("preflight", _launch("preflight", ["-m", "scripts.preflight"], merged))
    say("preparing Airflow's database")
    _finish("airflow-migrate", migration)
    for program in chosen:
        if program.waits:
            supervision.proxy().startProcess(program.name, False)
    for name, url in _addresses(settings).items():
        _wait(name, lambda url=url: _answers(url))  # type: ignore[misc]


def _run_pipeline(settings: Settings, keys: Secrets, say: Say) -> None:
    airflow = AirflowClient(_addresses(settings)["airflow"], AIRFLOW_USER, keys.airflow_password)
    _wait("airflow-dag-processor", airflow.knows_dag)
    say("running the pipeline through Airflow")
    run_id = airflow.trigger()
    for news in airflow.follow(run_id):
        say(f"  {news.task}: {news.state}  {news.words}")
        if news.state == "failed":
            raise StepError(
                f"{news.task} failed: {news.words} (log: .sandbox/logs/airflow, or Airflow's page)"
            )
    outcome = airflow.result(run_id, "deploy_model_to_s3")
    say(f"{outcome['version']}: {outcome['reason']}")
    if outcome["promoted"]:
        _wait("api", lambda: _served_version(settings) == outcome["version"])


def _show(settings: Settings, keys: Secrets, say: Say) -> None:
    addresses = _addresses(settings)
    version = _get(f"{addresses['api']}/version")
    if version is None:
        raise StepError("no version is in production, so the API has no model to serve")
    scores = {"this model": version["metrics"]["holdout"]} | version["baselines"]
    say(f"\nversion {version['version']} ({version['model_type']}), measured on")
    say(f"{version['metrics']['holdout']['n']} films from {version['split']['split_date']} on:")
    for name, each in scores.items():
        say(f"  {name:<12} RMSE {each['rmse']:.3f}   MAE {each['mae']:.3f}   R2 {each['r2']:+.2f}")
    forecast = requests.post(f"{addresses['api']}/predict", json=_SAMPLE, timeout=10).json()
    interval = forecast["interval"]
    say(
        f"\na Korean drama of 112 minutes: {forecast['rating']} of 10"
        f" (80 %: {interval['low']} to {interval['high']})"
    )
    say(f"\n  page     {addresses['page']}")
    say(f"  API      {addresses['api']}/docs")
    say(f"  Airflow  {addresses['airflow']}   ({AIRFLOW_USER} / {keys.airflow_password})")
    say("\nmake down ends it all")


def _addresses(settings: Settings) -> dict[str, str]:
    return {
        "api": f"http://{HOST}:{settings.api_port}",
        "page": f"http://{HOST}:{settings.ui_port}",
        "airflow": f"http://{HOST}:{settings.airflow_port}",
    }


def _launch(name: str, arguments: list[str], merged: dict[str, str]) -> "subprocess.Popen[bytes]":
    with (LOGS / f"{name}.log").open("wb") as log:
        python = f"{ROOT}/.venv/pipeline/bin/python"
        return subprocess.Popen([python, *arguments], cwd=ROOT, env=merged, stdout=log, stderr=log)


def _finish(name: str, process: "subprocess.Popen[bytes]") -> None:
    if process.wait() == 0:
        return
    log = LOGS / f"{name}.log"
    last = log.read_text(errors="replace").strip().splitlines()[-1:]
    raise StepError(f"{name} failed: {''.join(last)} (log: {log.relative_to(ROOT)})")


def _wait(name: str, is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        if is_there():
            return
        if "FATAL" in supervision.states().values():
            break
        time.sleep(0.3)
    dead = [each for each, state in supervision.states().items() if state == "FATAL"]
    failed = dead[0] if dead else name
    raise StepError(f"{failed} did not start (log: .sandbox/logs/{failed}.log)")


def _answers(url: str) -> bool:
    try:
        requests.get(url, timeout=2)
    except requests.RequestException:
        return False
    return True


def _get(url: str) -> Any:
    try:
        answer = requests.get(url, timeout=5)
    except requests.RequestException:
        return None
    return answer.json() if answer.ok else None


def _served_version(settings: Settings) -> str | None:
    version = _get(f"{_addresses(settings)['api']}/version")
    return version["version"] if version else None


def clean() -> None:
    """Remove what the sandbox keeps: its database, bucket, secrets and logs."""
    shutil.rmtree(FOLDER, ignore_errors=True)
