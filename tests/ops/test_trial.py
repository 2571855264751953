"""Both instances in containers, as they are deployed: run, measured, and put through the drills."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from ops import drills
from ops.memory import Peaks, limit_mb, measured
from ops.project import EngineError, run
from ops.trial import FILES, PROXY_USER, Trial, new_trial
from sandbox.state import free_ports
from tests.engine import CADDY, build_images, provide_caddy, skip_without_engine, skip_without_image

ROOT = Path(__file__).parents[2]
FILMS = 400
SERVICES: dict[str, dict[str, Any]] = {
    name: service
    for file in FILES[:2]
    for name, service in yaml.safe_load((ROOT / file).read_text())["services"].items()
}

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(3600),  # the first build downloads every package
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]


@pytest.fixture(scope="module")
def images() -> None:
    """Ours are built; the others are here, or the tests are skipped."""
    skip_without_engine()
    skip_without_image(SERVICES["postgres"]["image"])
    provide_caddy(SERVICES["proxy"]["image"])
    build_images()


@pytest.fixture(scope="module")
def trial(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:  # noqa: ARG001
    """Instance A and B in networks of their own, which meet at S3 alone."""
    folder = tmp_path_factory.mktemp("trial")
    hashing = [str(CADDY), "hash-password", "--plaintext", PROXY_USER[1]]
    hashed = subprocess.run(hashing, capture_output=True, text=True, check=True).stdout.strip()
    (folder / "users").write_text(f"{PROXY_USER[0]} {hashed}\n")
    airflow, page, http, https = free_ports(4)
    trial = new_trial(
        "movierating-trial",
        folder / "trial.env",
        AIRFLOW_PORT=airflow,
        API_PORT=0,  # any free one for each replica
        UI_PORT=page,
        COLLECT_MAX_FILMS=FILMS,
        MODEL_POLL_SECONDS=2,
        COMPOSE_PROFILES="public",
        PUBLIC_HTTP_PORT=http,
        PUBLIC_HTTPS_PORT=https,
        PROXY_USERS_FILE=str(folder / "users"),
    )
    yield from started(trial)


def started(trial: Trial, *options: str) -> Iterator[Trial]:
    try:
        trial.project.compose("up", "-d", "--no-build", *options)
        yield trial
    except EngineError as error:
        logs = trial.project.compose("logs", "--tail", "30")
        raise EngineError(f"{error}\n{logs}") from error
    finally:
        trial.project.compose("down", "--volumes")


@pytest.fixture(scope="module")
def peaks(trial: Trial) -> Peaks:
    """The memory of each service while the pipeline ran and its model came into service."""
    with measured(trial.project) as peaks:
        deployment = trial.run_pipeline()
        assert deployment["promoted"], deployment
        trial.await_version(deployment["version"])
        assert trial.forecast()["version"] == deployment["version"]
    return peaks


def test_each_container_stays_under_the_limit_that_the_engine_enforces(trial: Trial, peaks: Peaks):
    for name, service in SERVICES.items():
        for container in trial.project.containers(name):
            assert limit_mb(container) == int(service["mem_limit"].removesuffix("m"))
            assert 0 < peaks[name] < limit_mb(container)
            assert run("docker", "inspect", "--format", "{{.RestartCount}}", container) == "0"


@pytest.mark.usefixtures("peaks")
def test_instances_meet_at_s3_alone(trial: Trial):
    code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"
    for here, there, port in (
        ("api", "airflow-api-server", "8080"),
        ("api", "tmdb", "8090"),
        ("airflow-scheduler", "api", "8000"),
    ):
        with pytest.raises(EngineError, match="gaierror"):
            trial.project.compose("exec", "-T", here, "python", "-c", code, there, port)
    for here in ("api", "airflow-scheduler"):
        trial.project.compose("exec", "-T", here, "python", "-c", code, "s3", "8333")


@pytest.mark.usefixtures("peaks")
def test_page_forecasts_with_the_model_that_was_published(trial: Trial, page: Page):
    page.goto(f"{trial.url('UI_PORT')}/?lang=en")
    page.get_by_label("Plot").fill("A kind nurse brings hope and laughter to a small village.")
    page.get_by_role("button", name="Forecast").click()
    expect(page.get_by_text(str(trial.served_version()))).to_be_visible()


@pytest.mark.usefixtures("peaks")
@pytest.mark.parametrize("drill", drills.DRILLS)
def test_drill(trial: Trial, drill: str):
    print(drill, drills.DRILLS[drill](trial))  # noqa: T201 - its figures


@pytest.mark.usefixtures("trial")
def test_no_secret_is_in_a_log(trial: Trial):
    settings = trial.project.settings()
    logs = trial.project.compose("logs")
    secret = [name for name in settings if name.endswith(("KEY", "KEY_ID", "SECRET", "PASSWORD"))]
    assert len(secret) > 5
    assert [name for name in secret if settings[name] in logs] == []


@pytest.fixture(scope="module")
def workers(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:  # noqa: ARG001
    """Two workers of Celery without a disk in common; the working folder is in S3."""
    skip_without_image(SERVICES["redis"]["image"])
    airflow, page = free_ports(2)
    trial = new_trial(
        "movierating-workers",
        tmp_path_factory.mktemp("workers") / "trial.env",
        AIRFLOW_PORT=airflow,
        API_PORT=0,
        UI_PORT=page,
        COLLECT_MAX_FILMS=FILMS,
        COLLECT_WORKERS=2,
        MODEL_POLL_SECONDS=2,
        COMPOSE_PROFILES="celery",
        AIRFLOW__CORE__EXECUTOR="CeleryExecutor",
        DATA_DIR="s3://movie-ratings/pipeline",
    )
    yield from started(trial, "--scale", "airflow-worker=2")


def test_pipeline_runs_on_two_workers_that_share_no_disk(workers: Trial):
    deployment = workers.run_pipeline()
    workers.await_version(deployment["version"])
    for container in workers.project.containers("airflow-worker"):
        assert "succeeded in" in run("docker", "logs", container)
        assert run("docker", "exec", container, "ls", "/srv/data-prepare") == ""
