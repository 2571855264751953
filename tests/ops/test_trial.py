"""Test instances A and B in containers as they are deployed: pipeline, memory, recovery drills."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as RefusedError

from ops import drills
from ops.memory import Peaks, limit_mb, measured
from ops.project import EngineError, run, wait
from ops.trial import FILES, Trial, new_trial
from sandbox.chromium import ARGUMENTS
from sandbox.state import free_ports
from tests.support import outside
from tests.support.engine import skip_without_image
from tests.support.images import SERVICES, provide_images

ROOT = Path(__file__).parents[2]
FILMS = 400
PLOT = "A kind nurse brings hope and laughter to a small village."

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(3600),  # the first build downloads every package
]


def commands_for_alerts() -> list[str]:
    """Return the commands that docs/operations.md lists for alerts.

    The first block is left out, because it only defines the shell variables A and B.
    """
    text = (ROOT / "docs" / "operations.md").read_text()
    chapter = text.partition("\n## When an alert fires\n")[2]
    blocks = re.findall(r"(?s)\n```\n(.+?)\n```", chapter.partition("\n## Instance A is gone\n")[0])
    return [line for block in blocks[1:] for line in block.splitlines()]


@pytest.fixture(scope="module")
def images() -> None:
    provide_images()


@pytest.fixture(scope="module")
def trial(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:  # noqa: ARG001
    """Start instances A (training) and B (serving) in containers, each in its own network.

    Only the S3 server is in both networks."""
    folder = tmp_path_factory.mktemp("trial")
    airflow, page, http, https = free_ports(4)
    trial = new_trial(
        "movierating-trial",
        folder / "trial.env",
        (*FILES, "tests/ops/docker-compose-outside.yaml"),
        AIRFLOW_PORT=airflow,
        UI_PORT=page,
        COLLECT_MAX_FILMS=FILMS,
        MODEL_POLL_SECONDS=2,
        PUBLIC_HTTP_PORT=http,
        PUBLIC_HTTPS_PORT=https,
        PROXY_USERS_FILE=str(folder / "users"),
        ALERT_WEBHOOK_URL=f"http://outside:{outside.PORT}/webhook",
        AIRFLOW__METRICS__OTEL_ON="True",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://outside:{outside.PORT}/otlp",
    )
    yield from started(trial)


def started(trial: Trial, *options: str) -> Iterator[Trial]:
    """Start the containers of a trial, yield the trial, and delete the containers at the end.

    If the Docker engine reports an error, the error message contains the containers' logs."""
    try:
        if trial.project.settings()["COMPOSE_PROFILES"] == "public":
            trial.write_proxy_user()
        trial.start("--no-build", *options)
        yield trial
    except EngineError as error:
        logs = trial.project.compose("logs", "--tail", "30")
        raise EngineError(f"{error}\n{logs}") from error
    finally:
        trial.project.compose("down", "--volumes")


@pytest.fixture(scope="module")
def peaks(trial: Trial) -> Peaks:
    """Run the pipeline until its model is in service; return each service's peak memory."""
    with measured(trial.project) as peaks:
        deployment = trial.run_pipeline()
        assert deployment["promoted"], deployment
        trial.await_version(deployment["version"])
        assert trial.forecast()["version"] == deployment["version"]
        assert trial.await_forecasts() > 0
    print({name: round(peak) for name, peak in sorted(peaks.items())})  # noqa: T201 - measured values
    return peaks


def received(trial: Trial, address: str) -> list[bytes]:
    """Return the bodies of the requests that the container `outside` received, oldest first.

    This container receives alerts and metrics in place of other services.

    Args:
        trial: The running container trial.
        address: The last part of the request's path: `webhook` or `metrics`.
    """
    command = ("exec", "-T", "outside", "sh", "-c", f"cat /tmp/received/{address} || true")
    return [bytes.fromhex(line) for line in trial.project.compose(*command).splitlines()]


def test_every_container_stays_below_its_memory_limit(trial: Trial, peaks: Peaks):
    for name, service in SERVICES.items():
        for container in trial.project.containers(name):
            assert limit_mb(container) == int(service["mem_limit"].removesuffix("m"))
            assert 0 < peaks[name] < limit_mb(container)
            assert run("docker", "inspect", "--format", "{{.RestartCount}}", container) == "0"


def test_entrypoint_that_the_helm_chart_calls_runs_airflow(trial: Trial):
    words = ("exec", "-T", "airflow-scheduler", "/entrypoint", "airflow", "version")
    # A line of its own, because Airflow may also log that the metrics' receiver was too slow.
    assert re.search(r"^3\.\d+\.\d+$", trial.project.compose(*words), re.MULTILINE)


@pytest.mark.usefixtures("peaks")
def test_instances_reach_s3_but_not_each_other(trial: Trial):
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
def test_ui_shows_a_forecast_by_the_published_model(trial: Trial, page: Page):
    page.goto(f"{trial.url('UI_PORT')}/?lang=en")
    page.get_by_label("Plot").fill(PLOT)
    page.get_by_role("button", name="Forecast").click()
    expect(page.get_by_text(str(trial.served_version()))).to_be_visible()


@contextmanager
def tab_that_trusts(certificate: str, browser: Browser) -> Iterator[Page]:
    """Start a browser that also trusts this certificate, and yield a tab in it."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    pin = base64.b64encode(hashlib.sha256(key.public_bytes(*form)).digest()).decode()
    trusting = browser.browser_type.launch(
        executable_path=shutil.which("chromium"),
        args=[*ARGUMENTS, f"--ignore-certificate-errors-spki-list={pin}"],
    )
    try:
        yield trusting.new_page()
    finally:
        trusting.close()


@pytest.mark.usefixtures("peaks")
def test_proxy_serves_the_ui_by_host_name_with_tls_and_a_password(trial: Trial, browser: Browser):
    # The UI is not configured for this host name, and must work with it nevertheless.
    address = f"https://films.localhost:{trial.project.settings()['PUBLIC_HTTPS_PORT']}/?lang=en"
    name, password = trial.proxy_user()
    with tab_that_trusts(trial.certificate("intermediate"), browser) as tab:
        with pytest.raises(RefusedError, match="ERR_INVALID_AUTH_CREDENTIALS"):
            tab.goto(address)
        assert tab.context.browser
        context = tab.context.browser.new_context(
            http_credentials={"username": name, "password": password}
        )
        inside = context.new_page()
        inside.goto(address)
        inside.get_by_label("Plot").fill(PLOT)
        inside.get_by_role("button", name="Forecast").click()
        expect(inside.get_by_text(str(trial.served_version()))).to_be_visible()


@pytest.mark.usefixtures("peaks")
def test_forecasts_of_upcoming_films_are_in_the_api_and_on_the_page(trial: Trial, page: Page):
    def known() -> dict[str, Any]:
        answer = requests.get(f"{trial.api_url()}/v1/forecasts", timeout=10)
        films: dict[str, Any] = answer.json()
        return films

    wait("the service has read the ledger", lambda: known()["total"] > 0, 90)
    first = known()["films"][0]
    assert first["version"] == trial.served_version()
    page.goto(f"{trial.url('UI_PORT')}/coming_soon?lang=en")
    expect(page.locator(".film").first).to_contain_text(first["title"])


@pytest.mark.usefixtures("peaks")
def test_airflow_sends_the_metrics_that_the_alerts_use(trial: Trial):
    finished = (
        ("tmdb_movie_rating_pipeline", "deploy_model_to_s3"),
        ("tmdb_movie_forecast", "forecast_upcoming_films"),
    )

    def all_arrived() -> bool:
        points = metric_points(trial)
        ended = [labels for name, labels in points if name == "airflow.ti.finish"]
        return any(name == "airflow.scheduler_heartbeat" for name, _ in points) and all(
            {"dag_id": dag, "task_id": task, "state": "success"} in ended for dag, task in finished
        )

    # Each process of Airflow sends its metrics once per minute, at its own second.
    wait("the metrics of the scheduler and of both runs arrived", all_arrived, 180)
    assert all_arrived()


def metric_points(trial: Trial) -> list[tuple[str, dict[str, str]]]:
    """Return the name and the labels of each counter value that Airflow has sent as a metric."""
    return [
        (metric.name, {each.key: each.value.string_value for each in point.attributes})
        for body in received(trial, "metrics")
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.sum.data_points
    ]


@pytest.mark.usefixtures("peaks")
def test_failed_run_sends_its_tasks_and_reasons_to_the_alert_webhook(trial: Trial):
    with pytest.raises(EngineError, match="preprocess_movie_data failed: no film"):
        trial.run_pipeline(run_date="2000-01-01")
    wait("the webhook got an alert", lambda: bool(received(trial, "webhook")), 60)
    # The message costs the DAG processor about 50 MB more than its other work.
    (processor,) = trial.project.containers("airflow-dag-processor")
    assert run("docker", "inspect", "--format", "{{.RestartCount}}", processor) == "0"
    (said,) = [json.loads(body)["text"] for body in received(trial, "webhook")]
    assert said.startswith("tmdb_movie_rating_pipeline: manual__")
    assert "\npreprocess_movie_data: no film of the store was rated by 2000-01-01" in said
    assert "/dags/tmdb_movie_rating_pipeline/runs/manual__" in said


@pytest.mark.usefixtures("peaks")
@pytest.mark.parametrize("drill", drills.DRILLS)
def test_drill_succeeds(trial: Trial, drill: str):
    figures = drills.DRILLS[drill](trial)  # raises if a check fails
    print(drill, figures)  # noqa: T201
    assert figures["seconds"] > 0


@pytest.mark.usefixtures("peaks")
@pytest.mark.parametrize("line", commands_for_alerts())
def test_runbook_command_succeeds_as_written(trial: Trial, line: str):
    compose = " ".join(trial.project.command())
    if "registry rollback" in line:
        trial.promote_another()  # the version to roll back
    if line.startswith("python3 -m ops"):
        line += f" -p {trial.project.name} --env-file {trial.project.env_file} -f "
        line += " -f ".join(trial.project.files)
    done = subprocess.run(
        ["bash", "-euc", line],
        cwd=ROOT,
        env=os.environ | {"A": compose, "B": compose},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
    assert done.stdout.strip() or done.stderr.strip() or "grep" in line


@pytest.mark.usefixtures("trial")
def test_no_secret_is_in_the_logs_of_the_containers(trial: Trial):
    settings = trial.project.settings()
    logs = trial.project.compose("logs")
    secret = [name for name in settings if name.endswith(("KEY", "KEY_ID", "SECRET", "PASSWORD"))]
    assert len(secret) > 5
    assert [name for name in secret if settings[name] in logs] == []


@pytest.fixture(scope="module")
def todays_compose() -> Iterator[None]:
    """Use the `docker-compose` from the tests' Python environment.

    The version on the machine may be years old."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        yield


@pytest.fixture(scope="module")
def workers(
    images: None,  # noqa: ARG001
    todays_compose: None,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Trial]:
    """Start the containers with two Celery workers that share no disk.

    The working folder is in S3, so that both workers can use it."""
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
        AIRFLOW__CORE__PARALLELISM=2,
        DATA_DIR="s3://movie-ratings/pipeline",
    )
    yield from started(trial, "--scale", "airflow-worker=2")


def test_pipeline_runs_on_two_workers_that_share_no_disk(workers: Trial):
    deployment = workers.run_pipeline()
    workers.await_version(deployment["version"])
    for container in workers.project.containers("airflow-worker"):
        assert "succeeded in" in run("docker", "logs", container)
        assert run("docker", "exec", container, "ls", "/srv/data-prepare") == ""
