"""The work of `make up`: start all services, run the pipeline, wait until the API has a model."""

import hmac
import json
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import requests

from movierating.proxies import check_proxies, proxy_for
from movierating.settings import Settings
from movierating.time_limits import limited_session
from sandbox import supervision
from sandbox.airflow import DAG, FORECAST_DAG, HOUSEKEEPING_DAG, AirflowClient
from sandbox.programs import (
    AIRFLOW_USER,
    airflow,
    environment,
    programs,
    requests_per_second,
    uses_stand_in_for_s3,
    uses_stand_in_for_tmdb,
    write_airflow_password,
    write_supervisor_config,
)
from sandbox.s3.command import s3_url
from sandbox.state import FOLDER, LOGS, ROOT, SETTINGS_MARK, Secrets, free_ports, is_taken
from sandbox.summary import (
    Say,
    StepError,
    addresses,
    has_films,
    print_summary,
    served_version,
)

_ANSWER_SECONDS: Final = 2
# The settings that decide where films come from and where models go.
_OUTSIDE_WORLD: Final = ("tmdb_base_url", "tmdb_catalogue", "s3_bucket_name", "aws_endpoint_url_s3")
# The tasks of the forecast DAG whose results `make up` shows.
_AWAITED: Final = ("forecast_upcoming_films", "publish_film_catalogue")
_WAIT_SECONDS: Final = 300  # a busy machine needs minutes; a program that ended is noticed before


def up(settings: Settings, say: Say) -> None:
    """Start all services, run the pipeline once, and print a summary.

    If the services are already running and the API has a model, only the summary is printed. But
    if the settings name another source of films or another bucket than before, the services are
    started again, and the pipeline runs.

    Args:
        settings: The user's settings.
        say: A function that prints a line for the user.

    Raises:
        StepError: A step failed. If the services could not start, all of them are stopped again.
            If the pipeline failed, the services keep running, so that the user can look for the
            cause in Airflow.
    """
    keys = _prepare()
    mark = _mark(settings, keys)
    if supervision.supervisor() and _kept_mark() != mark:
        say("the settings name another TMDB or S3 than before, so the services are started again")
        supervision.stop()
    is_fresh = supervision.supervisor() is None
    if is_fresh:
        _check(settings)
        SETTINGS_MARK.write_text(mark)
        try:
            _start(settings, keys, say)
        except BaseException:  # also on Ctrl-C: no process may keep running
            supervision.stop()
            raise
    if is_fresh or served_version(settings) is None:
        _run_pipeline(settings, keys, say)
    print_summary(settings, keys, say)


def _prepare() -> Secrets:
    LOGS.mkdir(parents=True, exist_ok=True)
    FOLDER.chmod(0o700)  # programs write passwords and access keys into files in this folder
    return Secrets.kept()


def _mark(settings: Settings, keys: Secrets) -> str:
    """Return a text that differs for another TMDB or S3, and does not reveal the key for TMDB."""
    key, catalogue = settings.tmdb_api_key, Path(settings.tmdb_catalogue or "")
    values = [getattr(settings, name) for name in _OUTSIDE_WORLD]
    values.append(key.get_secret_value() if key else None)
    # The file's time, because the file may have changed at the same path.
    values.append(catalogue.stat().st_mtime_ns if catalogue.is_file() else None)
    return hmac.new(keys.jwt.encode(), json.dumps(values).encode(), "sha256").hexdigest()


def _kept_mark() -> str | None:
    return SETTINGS_MARK.read_text() if SETTINGS_MARK.exists() else None


def _check(settings: Settings) -> None:
    # Checked before anything starts: a program could report these errors only in its log file.
    for name in ("airflow_port", "api_port", "ui_port"):
        port = getattr(settings, name)
        if is_taken(port):
            raise StepError(
                f"port {port} is taken: stop what uses it, or set {name.upper()} in .env"
            )
    if uses_stand_in_for_tmdb(settings) and not uses_stand_in_for_s3(settings):
        raise StepError(
            "S3_BUCKET_NAME is set and TMDB_API_KEY is not, so a model of invented films would go "
            "into a real bucket; set both or neither"
        )
    catalogue = settings.tmdb_catalogue
    if catalogue and not uses_stand_in_for_tmdb(settings):
        raise StepError("TMDB_CATALOGUE and TMDB_API_KEY are both set; unset one of them")
    if catalogue and not Path(catalogue).is_file():
        raise StepError(f"TMDB_CATALOGUE: there is no file {catalogue}")
    _check_proxies(settings)


def _check_proxies(settings: Settings) -> None:
    """Check the proxies that requests would use: Airflow's error about a bad proxy is obscure.

    A SOCKS proxy is accepted if no real TMDB is used, because then nothing needs a proxy.
    """
    if settings.tmdb_api_key:
        proxy_for(settings.tmdb_base_url)
    check_proxies(allow_socks=True)


def _start(settings: Settings, keys: Secrets, say: Say) -> None:
    ports = free_ports(2)
    chosen = programs(settings, ports)
    merged = environment(settings, ports, keys)
    write_supervisor_config(chosen, merged, supervision.socket_path())
    write_airflow_password(keys)
    say("starting the services; logs are in .sandbox/logs")
    supervision.start(merged)
    # Creating Airflow's database is slow, so the checks run at the same time.
    with _launched("airflow-migrate", airflow("db", "migrate"), merged) as migration:
        _await_stand_ins(settings, ports, merged)
        say("checking TMDB, the bucket and the working folder")
        with _launched("preflight", _preflight(settings), merged) as preflight:
            _finish("preflight", preflight)
        say("preparing Airflow's database")
        _finish("airflow-migrate", migration)
    # These programs need Airflow's database, which is ready now.
    for program in chosen:
        if program.waits:
            supervision.proxy().startProcess(program.name, False)
    urls = addresses(settings)
    for name, url in urls.items():
        _wait(name, partial(_answers, url))
    # Airflow needs seconds for the first request of a task, so send one before there are tasks.
    _wait("airflow-api-server", partial(_answers, f"{urls['airflow']}/execution/health"))
    supervision.record()


def _preflight(settings: Settings) -> list[str]:
    # The local S3 server answers requests before it has created its bucket.
    wait = _WAIT_SECONDS if uses_stand_in_for_s3(settings) else 0
    return ["-m", "scripts.preflight", f"--wait-for-s3={wait}"]


def _await_stand_ins(settings: Settings, ports: list[int], merged: dict[str, str]) -> None:
    if uses_stand_in_for_s3(settings):
        _wait("s3", partial(_answers, s3_url(ports[1])))
    if uses_stand_in_for_tmdb(settings):
        _wait("tmdb", partial(_answers, merged["TMDB_BASE_URL"]))


def _run_pipeline(settings: Settings, keys: Secrets, say: Say) -> None:
    try:
        _follow_pipeline(settings, keys, say)
    except requests.RequestException as error:
        raise StepError(
            f"Airflow does not answer ({type(error).__name__}; "
            "log: .sandbox/logs/airflow-api-server.log)"
        ) from None


def _follow_pipeline(settings: Settings, keys: Secrets, say: Say) -> None:
    url = addresses(settings)["airflow"]
    pipeline, ledger, housekeeping = (
        AirflowClient(url, AIRFLOW_USER, keys.airflow_password, dag)
        for dag in (DAG, FORECAST_DAG, HOUSEKEEPING_DAG)
    )
    _wait("airflow-dag-processor", pipeline.knows_dag)
    # Airflow does not start a task whose pool does not exist.
    pipeline.set_pool(requests_per_second(settings))
    say("running the pipeline through Airflow")
    run_id = pipeline.trigger()
    for dag in (ledger, housekeeping):
        _wait("airflow-dag-processor", dag.knows_dag)
        dag.unpause()  # a paused DAG is not started, also not by a new model
    # Read the runs that earlier models started, to recognise the run that this model will start.
    earlier = _runs_by_asset(ledger)
    states = _follow(pipeline, run_id, url, say)
    outcome = pipeline.result(run_id, "deploy_model_to_s3")
    say(f"{outcome['version']}: {outcome['reason']}")
    if outcome["promoted"]:
        _wait("api", lambda: served_version(settings) == outcome["version"])
    if states.get("announce_new_model") == "success":
        say("forecasting upcoming films, as after every new model")
        _wait("airflow-scheduler", lambda: len(_runs_by_asset(ledger)) > len(earlier))
        newest = _runs_by_asset(ledger)[-1]
        forecasting = _follow(ledger, newest, url, say, until=_AWAITED)
        if forecasting["publish_film_catalogue"] == "success":
            _wait("api", lambda: has_films(settings))


def _runs_by_asset(dag: AirflowClient) -> list[str]:
    """Return the ids of the DAG runs that Airflow started because of a new model, oldest first."""
    return [run_id for run_id in dag.run_ids() if run_id.startswith("asset_triggered")]


def _follow(
    dag: AirflowClient, run_id: str, url: str, say: Say, until: Collection[str] = ()
) -> dict[str, str]:
    """Wait for the end of a DAG run, and print each change of a task's state.

    Args:
        dag: The client for the DAG.
        run_id: The id of the DAG run.
        url: Airflow's address.
        say: A function that prints a line for the user.
        until: Names of tasks. If there are any, the function returns when these tasks have
            succeeded or been skipped, and does not wait for the other tasks.

    Returns:
        The last state of each task that has started.

    Raises:
        StepError: A task failed.
    """
    states: dict[str, str] = {}
    for news in dag.follow(run_id):
        states[news.task] = news.state
        say(f"  {news.task}: {news.state}  {news.words}")
        if news.state == "awaiting_input":
            say(f"  answer under Required Actions at {url}")
        if news.state == "failed":
            raise StepError(
                f"{news.task} failed: {news.words} (log: .sandbox/logs/airflow, or Airflow's page)"
            )
        if until and all(states.get(task) in {"success", "skipped"} for task in until):
            break
    return states


@contextmanager
def _launched(
    name: str, arguments: Sequence[str], merged: dict[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a Python program with the pipeline's Python packages, in a separate process.

    The process is ended when the `with` block ends.

    Args:
        name: The name of the log file, without `.log`.
        arguments: The arguments for Python, such as `-m` and the module's name.
        merged: The environment variables for the process.
    """
    python = f"{ROOT}/.venv/pipeline/bin/python"
    with (LOGS / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [python, *arguments], cwd=ROOT, env=merged, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


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
        # FATAL: supervisor no longer restarts this program, so do not wait longer.
        if "FATAL" in supervision.states().values():
            break
        time.sleep(0.3)
    dead = [each for each, state in supervision.states().items() if state == "FATAL"]
    failed = dead[0] if dead else name
    raise StepError(f"{failed} did not start (log: .sandbox/logs/{failed}.log)")


def _answers(url: str) -> bool:
    try:
        with limited_session(_ANSWER_SECONDS) as session:
            session.get(url)
    except requests.RequestException:
        return False
    return True
